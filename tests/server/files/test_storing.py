"""Bytes on their way into the store: the database knows of them before they are there."""

import asyncio
import io
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from actors import limits
from actors.errors import TooManyRequests
from actors.resources.files.blobs import ListBlobs
from actors.resources.files.queries import GetStorageUse
from actors.resources.files.uploads import NoteUpload
from server.files.keeper import Keeper
from tests.builders import FAR_FUTURE, until
from tests.files import stored_file
from tests.server.files.test_processing import me, picture
from tests.server.files.uploading import CONTENT, blobs, sha256, staged, upload
from tests.serving import Answer, Client, Server, serving

FILES = "/api/v1/files"


async def form(client: Client, content: bytes) -> Answer:
    sent = aiohttp.FormData()
    sent.add_field("file", io.BytesIO(content), filename="a.bin")
    return await client.request("POST", FILES, data=sent)


async def put(client: Client, content: bytes) -> Answer:
    """Without its length."""

    async def pieces() -> Any:
        yield content

    file = (await client.post(FILES, name="a.bin")).data
    return await client.request("PUT", f"{FILES}/{file['id']}/content", data=pieces())


@pytest.mark.parametrize("way", [form, put])
async def test_what_has_no_room_is_not_put(tmp_path: Path, way: Any) -> None:
    """Where its length was not known before: else each try would take room on the disk."""
    async with serving(tmp_path / "data", QUOTA_USER="1KiB") as server:
        answer = await way(server.client("alice"), CONTENT)
        assert (answer.status, answer.error["code"]) == (413, "quota_exceeded")
        assert blobs(tmp_path / "data") == []
        assert await server.services.reads.ask(ListBlobs("", 100)) == ()


async def test_bytes_that_are_being_deleted_are_waited_for(
    server: Server, alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BLOB_GOING_SECONDS", 0.01)
    library = server.services.files
    delete, write = library.blobs.delete, library.write
    deleting, goes_on, noted = asyncio.Event(), asyncio.Event(), []

    async def delete_late(digest: str) -> None:
        deleting.set()
        await goes_on.wait()
        await delete(digest)

    async def write_seen(command: Any) -> Any:
        noted.append(type(command) is NoteUpload)
        return await write(command)

    before = await upload(alice)
    await alice.delete(f"{FILES}/{before['id']}")
    monkeypatch.setattr(library.blobs, "delete", delete_late)
    monkeypatch.setattr(library, "write", write_seen)
    collecting = asyncio.ensure_future(Keeper(library).collect(before=FAR_FUTURE * 1000))
    await deleting.wait()
    sending = asyncio.ensure_future(form(alice, CONTENT))
    await until(lambda: sum(noted) > 1)
    goes_on.set()
    assert await collecting == 1
    answer = await sending
    assert answer.status == 201, answer.raw
    assert (await alice.get(f"{FILES}/{answer.data['id']}/content")).raw == CONTENT


async def test_previews_of_a_file_that_goes_while_they_are_stored_go_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(tmp_path / "data", PREVIEWS="on") as server:
        alice, library = server.client("alice"), server.services.files
        put_blob, storing, goes_on = library.blobs.put, asyncio.Event(), asyncio.Event()

        async def put_late(path: Path, digest: str, size: int) -> None:
            if path.suffix == ".webp":
                storing.set()
                await goes_on.wait()
            await put_blob(path, digest, size)

        monkeypatch.setattr(library.blobs, "put", put_late)
        file = await stored_file(server, await me(alice), content=picture(), name="a.png")
        await storing.wait()
        await alice.delete(f"{FILES}/{file.id}")
        goes_on.set()
        await until(lambda: library.previews["done"] == 1)
        assert len(blobs(tmp_path / "data")) > 1
        await Keeper(library).collect(before=FAR_FUTURE * 1000)
        assert blobs(tmp_path / "data") == []


async def test_the_same_bytes_again_are_kept_for_their_new_file(server: Server, alice: Client, tmp_path: Path) -> None:
    """Though nothing named them for longer than they are kept."""
    before = await upload(alice)
    await alice.delete(f"{FILES}/{before['id']}")
    await upload(alice)
    await Keeper(server.services.files).collect(before=FAR_FUTURE * 1000)
    assert blobs(tmp_path / "data") == [sha256(CONTENT)]
    assert staged(tmp_path / "data") == []


@pytest.mark.parametrize("way", [form, put])
async def test_a_file_that_is_stored_is_no_failure_for_what_is_said_beside_it(
    tmp_path: Path, way: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How much room is left is read afterwards; its client would send the file again."""
    async with serving(tmp_path / "data", QUOTA_USER="1MiB") as server:
        reads = server.services.reads
        ask = reads.ask

        async def ask_too_often(query: Any) -> Any:
            if isinstance(query, GetStorageUse):
                raise TooManyRequests("Each user has 0.5 s of reading a second.", retry_after=1)
            return await ask(query)

        monkeypatch.setattr(reads, "ask", ask_too_often)
        answer = await way(server.client("alice"), CONTENT)
        assert answer.status in (200, 201), answer.raw
        assert "X-Storage-Left" not in answer.headers
