"""Content as it goes out: labels, conditions, ranges, and who gets it."""

import asyncio
import email
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.server.files.uploading import CONTENT, sha256, upload
from tests.server.quiet import nothing_breaks
from tests.serving import Client, Server

__all__ = ["nothing_breaks"]


@pytest.fixture(params=["from the disk", "from the store"])
def way(request: pytest.FixtureRequest, server: Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """Zero-copy where the blob is a file here; else as it comes out of the store."""
    if request.param == "from the store":
        monkeypatch.setattr(type(server.services.files.blobs), "local_path", lambda self, digest: None)
    return str(request.param)


@pytest.fixture
async def file(alice: Client) -> Any:
    return await upload(alice, filename="naïve.bin")


async def test_the_whole_content_comes_with_its_labels(alice: Client, file: Any, way: str) -> None:
    answer = await alice.get(file["url"])
    assert (answer.status, answer.raw) == (200, CONTENT)
    headers = answer.headers
    assert headers["ETag"] == f'"{sha256(CONTENT)}"'
    assert headers["Content-Length"] == str(len(CONTENT))
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Content-Disposition"] == "attachment; filename=\"naive.bin\"; filename*=UTF-8''na%C3%AFve.bin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert (headers["Cache-Control"], headers["Vary"]) == ("private, no-cache", "Authorization, Cookie")
    assert headers["Accept-Ranges"] == "bytes"
    assert headers["Last-Modified"].endswith("GMT")


async def test_head_tells_the_same_without_the_bytes(alice: Client, file: Any) -> None:
    answer = await alice.request("HEAD", file["url"])
    assert (answer.status, answer.raw, answer.headers["Content-Length"]) == (200, b"", str(len(CONTENT)))


@pytest.mark.parametrize(
    ("span", "start", "end"), [("bytes=0-0", 0, 1), ("bytes=100000-", 100_000, None), ("bytes=-5", -5, None)]
)
async def test_a_range(alice: Client, file: Any, way: str, span: str, start: int, end: int | None) -> None:
    answer = await alice.get(file["url"], headers={"Range": span})
    assert (answer.status, answer.raw) == (206, CONTENT[start:end])
    first = start % len(CONTENT)
    last = (end or len(CONTENT)) - 1
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{len(CONTENT)}"


async def test_several_ranges_come_as_parts(alice: Client, file: Any, way: str) -> None:
    answer = await alice.get(file["url"], headers={"Range": "bytes=500000-600000,0-9,-1"})
    assert answer.status == 206
    head = f"Content-Type: {answer.headers['Content-Type']}\r\n\r\n".encode()
    parts = email.message_from_bytes(head + answer.raw).get_payload()
    assert [part.get_payload(decode=True) for part in parts] == [CONTENT[500_000:600_001], CONTENT[:10], CONTENT[-1:]]
    assert [part["Content-Range"] for part in parts][1] == f"bytes 0-9/{len(CONTENT)}"
    assert len(answer.raw) == int(answer.headers["Content-Length"])


async def test_a_range_outside_is_refused_with_the_size(alice: Client, file: Any) -> None:
    answer = await alice.get(file["url"], headers={"Range": f"bytes={len(CONTENT)}-"})
    assert (answer.status, answer.error["code"]) == (416, "range_not_satisfiable")
    assert answer.headers["Content-Range"] == f"bytes */{len(CONTENT)}"


async def test_conditions(alice: Client, file: Any) -> None:
    tag = f'"{file["sha256"]}"'
    same = await alice.get(file["url"], headers={"If-None-Match": tag})
    assert (same.status, same.raw, same.headers["ETag"]) == (304, b"", tag)
    assert (await alice.get(file["url"], headers={"If-Match": '"other"'})).status == 412
    part = {"Range": "bytes=0-9"}
    assert (await alice.get(file["url"], headers={**part, "If-Range": tag})).raw == CONTENT[:10]
    assert (await alice.get(file["url"], headers={**part, "If-Range": '"other"'})).raw == CONTENT


@pytest.mark.parametrize(
    ("name", "content", "content_type", "inline"),
    [
        ("a.png", b"\x89PNG\r\n\x1a\n" + bytes(100), "image/png", True),
        ("a.txt", b"plain text\n", "text/plain; charset=utf-8", True),
        ("a.html", b"<!doctype html><script>alert(1)</script>", "application/octet-stream", False),
        ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "application/octet-stream", False),
        ("a.zip", b"PK\x05\x06" + bytes(18), "application/zip", False),
    ],
)
async def test_only_what_runs_nothing_is_shown(
    alice: Client, name: str, content: bytes, content_type: str, inline: bool
) -> None:
    file = await upload(alice, content, filename=name)
    for asked, shown in ((None, inline), ("inline", inline), ("attachment", False)):
        answer = await alice.get(file["url"], **({"disposition": asked} if asked else {}))
        assert answer.headers["Content-Type"] == content_type
        assert answer.headers["Content-Disposition"].startswith("inline" if shown else "attachment")
        assert answer.raw == content
    assert (await alice.get(file["url"], disposition="other")).status == 400


async def test_versions_have_their_own_content(alice: Client) -> None:
    file = await upload(alice, b"one")
    await alice.request("PUT", f"/api/v1/files/{file['id']}/content", data=b"two")
    assert (await alice.get(file["url"])).raw == b"two"
    assert (await alice.get(file["url"], version=1)).raw == b"one"
    assert (await alice.get(f"/api/v1/files/{file['id']}/versions/1/content")).raw == b"one"
    assert (await alice.get(f"/api/v1/files/{file['id']}/versions/3/content")).status == 404
    assert (await alice.get(f"/api/v1/files/{file['id']}/versions/x/content")).status == 404
    assert (await alice.get(file["url"], version="x")).status == 400
    assert (await alice.get(file["url"], what="x")).status == 400


async def test_a_file_without_bytes_says_so(alice: Client) -> None:
    file = (await alice.post("/api/v1/files", name="later")).data
    answer = await alice.get(f"/api/v1/files/{file['id']}/content")
    assert (answer.status, answer.error["retryable"]) == (423, True)


async def test_a_preview_that_is_not_there_is_not_found(alice: Client, file: Any) -> None:
    assert (await alice.get(f"/api/v1/files/{file['id']}/preview", name="small")).status == 404
    assert (await alice.get(f"/api/v1/files/{file['id']}/versions/1/preview", name="large")).status == 404


async def test_nobody_else_gets_it_and_members_do(alice: Client, bob: Client, server: Server) -> None:
    own = await upload(alice, b"own")
    assert (await bob.get(own["url"])).status == 404
    async with server.session.get(server.url + own["url"]) as answer:
        assert answer.status == 401
    bobs = await bob.me()
    thread = await alice.thread(members=[{"user_id": bobs["id"], "role": "VIEWER"}])
    shared = await upload(alice, b"shared", thread_id=thread["id"])
    assert (await bob.get(shared["url"])).raw == b"shared"
    await alice.delete(f"/api/v1/threads/{thread['id']}/members/{bobs['id']}")
    assert (await bob.get(shared["url"])).status == 404


async def test_access_that_ends_ends_a_download_within_a_second(alice: Client, bob: Client, way: str) -> None:
    bobs = await bob.me()
    thread = await alice.thread(members=[{"user_id": bobs["id"]}])
    large = await upload(alice, bytes(30_000_000), thread_id=thread["id"])
    headers = {"Authorization": f"Bearer {bob.token}"}
    async with bob.session.get(bob.url + large["url"], headers=headers) as answer:
        assert len(await answer.content.readexactly(100_000)) == 100_000
        await alice.delete(f"/api/v1/threads/{thread['id']}/members/{bobs['id']}")
        await asyncio.sleep(1.2)  # what is promised: a second; what the kernel holds already still comes
        with pytest.raises((aiohttp.ClientError, ConnectionError)):
            await answer.read()


async def test_many_at_once_get_the_right_bytes(alice: Client, file: Any, way: str) -> None:
    async def part(number: int) -> None:
        start = number * 1000
        answer = await alice.get(file["url"], headers={"Range": f"bytes={start}-{start + 100_000}"})
        assert answer.raw == CONTENT[start : start + 100_001]

    await asyncio.gather(*map(part, range(40)))


async def test_a_blob_that_is_missing_is_said_before_anything_is_sent(alice: Client, tmp_path: Path, file: Any) -> None:
    for path in (tmp_path / "data" / "blobs").rglob("*"):
        if path.is_file():
            path.unlink()
    assert (await alice.get(file["url"])).status == 404
