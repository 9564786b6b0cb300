"""Many files as one archive."""

import asyncio
import io
import time
import zipfile
from pathlib import Path

import aiohttp
import pytest

from actors import limits
from actors.identifiers import new_id
from server.files.downloads.url_keys import UrlKeyFiles
from tests.server.files.uploading import CONTENT, upload
from tests.server.quiet import nothing_breaks
from tests.server.raw_http import raw_connection
from tests.serving import Client, Server

__all__ = ["nothing_breaks"]

ZIP = "/api/v1/files/zip"


async def test_an_archive_has_every_file_under_a_name_of_its_own(alice: Client) -> None:
    files = [await upload(alice, content, filename="a.txt") for content in (b"one", CONTENT, b"")]
    answer = await alice.post(ZIP, ids=[file["id"] for file in files], name="all.zip")
    assert answer.status == 200, answer.raw
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="all.zip"'
    archive = zipfile.ZipFile(io.BytesIO(answer.raw))
    assert archive.testzip() is None
    assert {info.filename: archive.read(info) for info in archive.infolist()} == {
        "a.txt": b"one", "a (2).txt": CONTENT, "a (3).txt": b"",
    }  # fmt: skip
    assert {info.extract_version for info in archive.infolist()} == {20}, "no 64-bit form"


async def test_a_file_that_is_not_ours_refuses_the_archive(alice: Client, bob: Client) -> None:
    own, other = await upload(alice, b"1"), await upload(bob, b"2")
    assert (await alice.post(ZIP, ids=[own["id"], other["id"]])).status == 404


@pytest.mark.parametrize("body", [{}, {"ids": []}, {"ids": ["x"]}, {"ids": 1}, {"ids": [new_id()], "what": 1}])
async def test_what_names_no_files_is_refused(alice: Client, body: dict[str, object]) -> None:
    assert (await alice.request("POST", ZIP, json=body)).status == 400


async def test_an_archive_is_bounded(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [await upload(alice, content) for content in (b"123", b"456")]
    monkeypatch.setattr(limits, "ZIP_BYTES", 5)
    assert (await alice.post(ZIP, ids=[file["id"] for file in files])).status == 413
    monkeypatch.setattr(limits, "ZIP_FILES", 1)
    assert (await alice.post(ZIP, ids=[file["id"] for file in files])).status == 400


async def test_rights_are_asked_when_a_files_turn_comes(
    alice: Client, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at all and the turn of the second it is deleted: the archive says that it left it out."""
    first, second = await upload(alice, b"one", filename="a.txt"), await upload(alice, b"two", filename="b.txt")
    library = server.services.files
    opened = library.blobs.open

    async def open_and_delete(digest: str, start: int = 0, end: int | None = None):  # type: ignore[no-untyped-def]
        async for piece in opened(digest, start, end):
            yield piece
        await alice.delete(f"/api/v1/files/{second['id']}")

    monkeypatch.setattr(library.blobs, "open", open_and_delete, raising=False)
    answer = await alice.post(ZIP, ids=[first["id"], second["id"]])
    archive = zipfile.ZipFile(io.BytesIO(answer.raw))
    assert archive.namelist() == ["a.txt", "_left_out.txt"]
    assert "b.txt" in archive.read("_left_out.txt").decode()


async def read_slowly(answer: aiohttp.ClientResponse) -> None:
    """At a pace at which 30 MB take more than 20 s."""
    async for _ in answer.content.iter_chunked(65_536):
        await asyncio.sleep(0.05)  # the pace


async def test_access_that_ends_while_a_file_is_sent_ends_the_archive(alice: Client, bob: Client) -> None:
    """A large file, to a slow reader, lasts for hours."""
    bobs = await bob.me()
    thread = await alice.thread(members=[{"user_id": bobs["id"]}])
    large = await upload(alice, bytes(30_000_000), thread_id=thread["id"])
    headers = {"Authorization": f"Bearer {bob.token}"}
    async with bob.session.post(bob.url + ZIP, json={"ids": [large["id"]]}, headers=headers) as answer:
        assert len(await answer.content.readexactly(100_000)) == 100_000
        await alice.delete(f"/api/v1/threads/{thread['id']}/members/{bobs['id']}")
        with pytest.raises((aiohttp.ClientError, ConnectionError)):
            await read_slowly(answer)


async def test_an_archive_whose_file_is_missing_breaks_off(alice: Client, tmp_path: Path) -> None:
    file = await upload(alice)
    for path in (tmp_path / "data" / "blobs").rglob("*"):
        if path.is_file():
            path.unlink()
    with pytest.raises(Exception, match="payload|disconnected|Connection"):  # noqa: RUF043
        await alice.post(ZIP, ids=[file["id"]])


async def test_head_of_an_archive_has_no_body(server: Server, alice: Client, tmp_path: Path) -> None:
    """What followed would be read as the next answer of the connection."""
    file, user = await upload(alice), await alice.me()
    keys = UrlKeyFiles(tmp_path / "data").keys
    url = keys.sign("GET", ZIP, user["id"], int(time.time()) + 60, ids=file["id"])
    async with raw_connection(server.url) as connection:
        await connection.send(f"HEAD {url} HTTP/1.1")
        head = await connection.head()
        assert (head.status, head.headers["Content-Type"]) == (200, "application/zip")
        assert (await connection.ask("GET /api/v1/health HTTP/1.1")).status == 200
