"""Progress of uploads: to the devices of who uploads, and to the thread in which a message waits for the file."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from actors import limits
from tests.realtime_client import RawClient, raw_client
from tests.server.files.uploading import CONTENT, append, create, sha256
from tests.server.quiet import nothing_breaks
from tests.serving import Client, Server

__all__ = ["nothing_breaks"]
SIZE = len(CONTENT)


async def slowly(*ends: int) -> AsyncIterator[bytes]:
    """The content up to each of these; what was said so far has time to be told."""
    there = 0
    for end in ends:
        yield CONTENT[there:end]
        there = end
        await asyncio.sleep(0.02)


async def told(client: RawClient, kind: str) -> Any:
    while True:
        data = (await client.push())["pub"]["data"]
        if data["type"] == kind:
            return data


@pytest.fixture
async def shown(alice: Client, bob: Client) -> tuple[str, str]:
    """A file that is not there yet, and the thread in which a message shows it."""
    thread = await alice.thread(members=[{"user_id": (await bob.me())["id"]}])
    file = (await alice.post("/api/v1/files", name="a.bin", thread_id=thread["id"])).data
    await alice.say(thread, files=[file["id"]])
    return file["id"], thread["id"]


async def test_those_who_wait_for_a_file_see_it_come(
    server: Server, alice: Client, bob: Client, shown: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PROGRESS_SECONDS", 0.0)
    file_id, thread_id = shown
    async with (
        raw_client(server.session, server.websocket_url, alice.token) as uploader,
        raw_client(server.session, server.websocket_url, bob.token) as reader,
    ):
        await reader.subscribe(thread_id)
        path = (await create(alice, SIZE, file_id=file_id)).headers["Location"]
        await append(alice, path, 0, slowly(400_000, SIZE))
        own = await told(uploader, "upload.progress")
        assert own["data"]["upload_id"] == path.rpartition("/")[2]
        seen = await told(reader, "file.progress")
        for data in (own["data"], seen["data"]):
            assert (data["file_id"], data["size"]) == (file_id, SIZE)
            assert 0 < data["received"] < SIZE
        assert seen["thread_id"] == thread_id
        assert "upload_id" not in seen["data"]


async def test_a_direct_upload_is_seen_to_begin_and_to_be_there(
    server: Server, alice: Client, bob: Client, shown: tuple[str, str]
) -> None:
    """As much as is known where the bytes go to the store past the server."""
    file_id, thread_id = shown
    async with (
        raw_client(server.session, server.websocket_url, alice.token) as uploader,
        raw_client(server.session, server.websocket_url, bob.token) as reader,
    ):
        await reader.subscribe(thread_id)
        begun = (await alice.post(f"/api/v1/files/{file_id}/direct", size=SIZE)).data
        assert [
            (await told(each, kind))["data"]["received"]
            for each, kind in ((uploader, "upload.progress"), (reader, "file.progress"))
        ] == [0, 0]
        incoming = server.services.files.blobs.incoming_path(begun["id"])
        assert incoming is not None
        incoming.parent.mkdir(parents=True, exist_ok=True)
        incoming.write_bytes(CONTENT)
        whole = {"upload_id": begun["id"], "sha256": sha256(CONTENT)}
        assert (await alice.post(f"/api/v1/files/{file_id}/complete", **whole)).status == 200
        assert [
            (await told(each, kind))["data"]["received"]
            for each, kind in ((uploader, "upload.progress"), (reader, "file.progress"))
        ] == [SIZE, SIZE]


@pytest.mark.parametrize("way", ["put", "form", "tus with a checksum"])
async def test_by_every_way(server: Server, alice: Client, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    monkeypatch.setattr(limits, "PROGRESS_SECONDS", 0.0)
    monkeypatch.setattr(limits, "PROGRESS_BYTES", 1000)
    await alice.me()
    async with raw_client(server.session, server.websocket_url, alice.token) as uploader:
        await send(alice, way)
        assert 0 < (await told(uploader, "upload.progress"))["data"]["received"] < SIZE


async def send(alice: Client, way: str) -> None:
    match way:
        case "put":
            file = (await alice.post("/api/v1/files", name="a")).data
            await alice.request("PUT", f"/api/v1/files/{file['id']}/content", data=slowly(300_000, SIZE))
        case "form":
            headers = {"Content-Type": "multipart/form-data; boundary=b"}
            await alice.request("POST", "/api/v1/files", data=form(), headers=headers)
        case _:
            path = (await create(alice, SIZE)).headers["Location"]
            await append(alice, path, 0, slowly(300_000, SIZE), Upload_Checksum="sha1 AAAA")


async def form() -> AsyncIterator[bytes]:
    yield b"--b\r\nContent-Disposition: form-data; name=file; filename=a\r\n\r\n"
    async for piece in slowly(300_000, SIZE):
        yield piece
    yield b"\r\n--b--\r\n"


async def test_it_is_told_seldom(server: Server, alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not with every piece: each 5 %, and four times a second at most."""
    monkeypatch.setattr(limits, "PROGRESS_SECONDS", 3600.0)
    await alice.me()
    async with raw_client(server.session, server.websocket_url, alice.token) as uploader:
        path = (await create(alice, SIZE)).headers["Location"]
        await append(alice, path, 0, slowly(*range(10_000, SIZE, 10_000)))
        first = await told(uploader, "upload.progress")
        assert SIZE // 20 <= first["data"]["received"] < SIZE // 20 + 300_000
        await alice.patch("/api/v1/users/me", name="Alicia")
        assert (await uploader.push())["pub"]["data"]["type"] == "user.updated"
