"""A hundred megabytes by each way pass through the server's memory, not into it."""

import base64
from collections.abc import AsyncIterator

import aiohttp
import psutil

from actors import limits
from tests.serving import Client, ServerProcess

SIZE = 100 * limits.MIB
PIECE = bytes(range(256)) * 1024


async def content(size: int = SIZE) -> AsyncIterator[bytes]:
    for _ in range(size // len(PIECE)):
        yield PIECE


async def test_a_hundred_megabytes_grow_the_server_by_less_than_32(process: ServerProcess, alice: Client) -> None:
    """By a form, by tus and by PUT, and down again; three to five seconds, most of it the disk's."""
    await alice.me()
    record = (await alice.post("/api/v1/files", name="raw")).data
    assert process.process is not None
    server = psutil.Process(process.process.pid)
    before, highest = server.memory_info().rss, 0

    async def watched(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        nonlocal highest
        async for piece in pieces:
            highest = max(highest, server.memory_info().rss)
            yield piece

    form = aiohttp.FormData()
    form.add_field("file", watched(content()), filename="form")
    assert (await alice.request("POST", "/api/v1/files", data=form)).status == 201
    named = base64.b64encode(b"tus").decode()
    tus = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream", "Content-Length": str(SIZE)}
    tus |= {"Upload-Length": str(SIZE), "Upload-Metadata": f"filename {named}"}
    answer = await alice.request("POST", "/api/v1/files/uploads", data=watched(content()), headers=tus)
    assert answer.headers["Upload-Offset"] == str(SIZE)
    path = f"/api/v1/files/{record['id']}/content"
    file = (await alice.request("PUT", path, data=watched(content()))).data
    assert file["size"] == SIZE
    async with alice.session.get(alice.url + path, headers={"Authorization": f"Bearer {alice.token}"}) as download:
        came = 0
        async for piece in watched(download.content.iter_chunked(limits.MIB)):
            came += len(piece)
    assert came == SIZE
    assert max(highest, server.memory_info().rss) - before < 32 * limits.MIB
