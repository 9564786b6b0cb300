"""The secret that the server makes for itself."""

import base64
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from server.auth.secret_file import load_or_create_secret


def test_a_secret_is_made_once_and_only_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    secret, made = load_or_create_secret(path)
    assert made
    assert len(base64.urlsafe_b64decode(secret)) == 48
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_or_create_secret(path) == (secret, False)
    assert os.listdir(tmp_path) == ["secret"]


def test_those_who_make_it_at_once_agree(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: load_or_create_secret(path), range(64)))
    assert len({secret for secret, _ in found}) == 1
    assert sum(made for _, made in found) == 1
    assert os.listdir(tmp_path) == ["secret"]


def test_another_process_is_never_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, theirs, link = tmp_path / "secret", b"t" * 40, os.link

    def too_late(source: Path, target: Path) -> None:
        path.write_bytes(theirs)
        path.chmod(0o600)
        link(source, target)

    monkeypatch.setattr(os, "link", too_late)
    assert load_or_create_secret(path) == (theirs, False)
    assert os.listdir(tmp_path) == ["secret"]


def test_a_disk_that_fails_leaves_no_half_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        load_or_create_secret(tmp_path / "secret")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b"a secret that is only good for tests, and long enough")
    path.chmod(mode)
    with pytest.raises(ValueError, match=f"mode {mode:04o}.*chmod 600"):
        load_or_create_secret(path)


@pytest.mark.parametrize("held", [b"", b"\n", b"short", b" " * 64])
def test_a_file_without_a_good_secret_is_refused(tmp_path: Path, held: bytes) -> None:
    path = tmp_path / "secret"
    path.write_bytes(held)
    path.chmod(0o600)
    with pytest.raises(ValueError, match="at least 32 bytes"):
        load_or_create_secret(path)


def test_a_folder_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_or_create_secret(tmp_path / "missing" / "secret")
