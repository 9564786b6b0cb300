"""Forms with files: as browsers, curl and libraries send them."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from actors import limits
from tests.builders import until
from tests.server.files.uploading import CONTENT, blobs, sha256, staged
from tests.server.quiet import nothing_breaks
from tests.serving import Answer, Client, Server

__all__ = ["nothing_breaks"]

FILES = "/api/v1/files"


async def send(
    client: Client, *files: tuple[str, bytes], headers: dict[str, str] | None = None, **fields: str
) -> Answer:
    form = aiohttp.FormData()
    for name, value in fields.items():
        form.add_field(name, value)
    for filename, content in files:
        form.add_field("file", content, filename=filename, content_type="application/octet-stream")
    return await client.request("POST", FILES, data=form(), headers=headers)


async def test_one_file_is_answered_as_it_is(alice: Client, tmp_path: Path) -> None:
    thread = await alice.thread()
    answer = await send(alice, ("a.bin", CONTENT), thread_id=thread["id"], metadata='{"a":1}')
    assert answer.status == 201, answer.raw
    file = answer.data
    assert (file["name"], file["size"], file["sha256"]) == ("a.bin", len(CONTENT), sha256(CONTENT))
    assert (file["thread_id"], file["metadata"], file["status"]) == (thread["id"], {"a": 1}, "ready")
    assert answer.headers["Location"] == f"{FILES}/{file['id']}"
    assert (await alice.get(f"{FILES}/{file['id']}")).headers["ETag"] == answer.headers["ETag"]
    assert (await alice.get(f"{FILES}/{file['id']}/content")).raw == CONTENT
    assert staged(tmp_path / "data") == []


async def test_several_stand_each_for_itself(
    alice: Client, tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.services.files, "rules", _rules(server, limit=1000))
    answer = await send(alice, ("one.txt", b"1" * 1000), ("two.txt", b"2" * 1001), ("three.txt", b""))
    assert answer.status == 207
    one, two, three = answer.data
    assert (one["name"], one["file"]["size"], one["error"]) == ("one.txt", 1000, None)
    assert (two["file"], two["error"]["code"], two["error"]["status"]) == (None, "too_large", 413)
    assert three["file"]["size"] == 0
    assert staged(tmp_path / "data") == []
    assert len(blobs(tmp_path / "data")) == 2


def _rules(server: Server, **more: Any) -> Any:
    from dataclasses import replace

    return replace(server.services.files.rules, **more)


async def test_one_that_is_refused_is_a_problem(
    alice: Client, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.services.files, "rules", _rules(server, limit=1000))
    assert (await send(alice, ("two.txt", b"2" * 100_000))).status == 413
    assert staged(tmp_path / "data") == []


async def test_a_field_in_which_no_file_was_chosen_is_none(alice: Client) -> None:
    body = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename=""\r\nContent-Type: application/octet-stream'
        b'\r\n\r\n\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx\r\n--b--\r\n'
    )
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    assert (await alice.request("POST", FILES, data=body, headers=headers)).data["size"] == 1


def part(name: str, content: bytes) -> bytes:
    return f"--b\r\nContent-Disposition: form-data; name={name}\r\n\r\n".encode() + content + b"\r\n"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"--b--\r\n", 400),
        (b"--b\r\nContent-Disposition: form-data; name=what\r\n\r\nx\r\n--b--\r\n", 400),
        (b"--b\r\nContent-Disposition: form-data; name=metadata\r\n\r\n" + b"x" * 20_000 + b"\r\n--b--\r\n", 413),
        (b"--b\r\nContent-Disposition: form-data; name=file; filename=a\r\n\r\nx\r\n", 400),
        (
            part("metadata", b"[]") + part("file; filename=a", b"x") + b"--b--\r\n",
            400,
        ),
        (
            part("file; filename=a", b"x") + part("thread_id", b"c1") + b"--b--\r\n",
            400,
        ),
    ],
)
async def test_what_is_no_good_form_is_refused(alice: Client, tmp_path: Path, body: bytes, status: int) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    assert (await alice.request("POST", FILES, data=body, headers=headers)).status == status
    assert staged(tmp_path / "data") == []


async def test_json_by_the_same_address_is_a_record_without_bytes(alice: Client) -> None:
    answer = await alice.post(FILES, name="later.txt")
    assert (answer.status, answer.data["status"], answer.data["version"]) == (201, "pending", 0)


async def test_a_form_that_breaks_off_leaves_nothing(alice: Client, tmp_path: Path) -> None:
    begun = asyncio.Event()

    async def broken():  # type: ignore[no-untyped-def]
        yield b"--b\r\nContent-Disposition: form-data; name=file; filename=a\r\n\r\n" + CONTENT
        begun.set()
        await asyncio.Event().wait()

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    sending = asyncio.ensure_future(alice.request("POST", FILES, data=broken(), headers=headers))
    await begun.wait()
    await until(lambda: staged(tmp_path / "data"))
    sending.cancel()
    await until(lambda: not staged(tmp_path / "data"))
    assert blobs(tmp_path / "data") == []


async def test_a_retry_with_its_key_is_the_same_file(alice: Client) -> None:
    key = {"Idempotency-Key": "once"}
    first, second = [await send(alice, ("a", b"1"), ("b", b"2"), headers=key) for _ in range(2)]
    assert first.data == second.data


async def test_a_retry_of_what_was_refused_is_one_file(
    server: Server, alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it was refused for, and however often it is sent again."""
    key = {"Idempotency-Key": "once"}
    with monkeypatch.context() as patched:
        patched.setattr(server.services.files, "rules", _rules(server, limit=1))
        assert (await send(alice, ("a", b"12"), headers=key)).status == 413
    first, second = [await send(alice, ("a", b"12"), headers=key) for _ in range(2)]
    assert (first.status, second.status, first.data) == (201, 201, second.data)
    assert [file["id"] for file in (await alice.get(FILES)).data] == [first.data["id"]]


async def test_a_browsers_form_comes_with_the_cookie_and_from_our_own_pages_alone(
    server: Server, alice: Client
) -> None:
    form = aiohttp.FormData({"metadata": "{}"})
    form.add_field("file", b"x", filename="a.txt")
    cookie = {"Cookie": f"rpotential_auth={alice.token}"}
    own = {"Origin": server.url, "Sec-Fetch-Site": "same-origin"}
    async with server.session.post(server.url + FILES, data=form, headers={**cookie, **own}) as answer:
        assert answer.status == 201
    other = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    async with server.session.post(server.url + FILES, data=b"--b--", headers={**cookie, **other}) as answer:
        assert answer.status == 403


async def test_many_parts_are_refused(alice: Client) -> None:
    answer = await send(alice, *[(f"{n}.txt", b"") for n in range(limits.FORM_PARTS + 1)])
    assert answer.status == 413
