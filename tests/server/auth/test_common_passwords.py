"""Passwords that are guessed first are no passwords."""

import time
from pathlib import Path

import pytest

from actors import limits
from server.auth.common_passwords import is_common
from tests.serving import Server, serving


@pytest.mark.parametrize(
    "password",
    [
        "1qaz2wsx3edc", "Sonyericsson", "passwordpassword", "PasswordPassword", "letmein123456", "123456123456123456",
        "qwertyqwertyqwerty", "aaaaaaaaaaaaaaaa", "iloveyoubabygirl",
    ],
)  # fmt: skip
def test_what_is_guessed_first(password: str) -> None:
    assert is_common(password)


@pytest.mark.parametrize(
    "password",
    ["correct horse battery staple", "a password of the tests", "Zw8#kd02!qpLm", "ünïcödé und mehr", "aab aab aab c"],
)
def test_what_is_not(password: str) -> None:
    assert not is_common(password)


def test_the_longest_takes_no_time() -> None:
    began = time.perf_counter()
    assert not is_common("xq7" * (limits.PASSWORD_CHARS // 3 - 1) + "!")
    assert time.perf_counter() - began < 5


async def test_it_is_refused_with_a_sentence(tmp_path: Path) -> None:
    async with serving(tmp_path / "data") as server:
        await _refused(server)


async def _refused(server: Server) -> None:
    alice = server.client("alice")
    answer = await alice.post("/api/v1/auth/password", new_password="passwordpassword")
    assert answer.status == 400
    assert "guessed first" in answer.error["errors"]["new_password"][0]
    assert "passwordpassword" not in answer.raw.decode()
    assert (await alice.post("/api/v1/auth/password", new_password="elevenchars")).status == 400
    assert (await alice.post("/api/v1/auth/password", new_password="twelve chars")).status == 200
