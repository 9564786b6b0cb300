"""Hostile files by every way of uploading: each is refused, and leaves nothing, or is kept and harms nobody."""

import io
import tarfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.files import until_previewed
from tests.server.files import hostile
from tests.server.files.uploading import append, blobs, create, staged
from tests.server.previews import corpus
from tests.server.previews.corpus import Hostile
from tests.server.quiet import nothing_breaks
from tests.serving import Answer, Client, Server, serving

__all__ = ["nothing_breaks"]
FILES = "/api/v1/files"


def terabytes_tar() -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a"), io.BytesIO())
    data = bytearray(made.getvalue())
    data[124:136] = b"\x80\x00\x00\x00\x00\x00\x0f\xff\xff\xff\xff\xff"
    return bytes(data)


BOMBS: dict[str, Callable[[], bytes]] = {
    "layers": lambda: hostile.nested_zip(6, width=3),
    "shared bytes": hostile.overlapping_zip,
    "a claim": lambda: hostile.claiming_zip(0xFFFFFFF0),
    "entries": lambda: hostile.many_entries_zip(100_001),
    "gzip": lambda: hostile.gzip_bomb(100_000_000),
    "tar": terabytes_tar,
    "behind a picture": lambda: hostile.one_pixel_png() + hostile.overlapping_zip(),
}


async def form(client: Client, *contents: bytes, name: str = "a.zip") -> Answer:
    sent = aiohttp.FormData()
    for content in contents:
        sent.add_field("file", io.BytesIO(content), filename=name)
    return await client.request("POST", FILES, data=sent)


async def put(client: Client, content: bytes) -> Answer:
    file = (await client.post(FILES, name="a.zip")).data
    return await client.request("PUT", f"{FILES}/{file['id']}/content", data=io.BytesIO(content))


async def tus(client: Client, content: bytes) -> Answer:
    return await append(client, (await create(client, len(content))).headers["Location"], 0, content)


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
async def test_archives_that_are_bombs_are_refused(alice: Client, tmp_path: Path, bomb: Callable[[], bytes]) -> None:
    answer = await form(alice, bomb())
    assert (answer.status, answer.error["code"]) == (415, "archive_bomb"), answer.raw
    assert "would do harm" in answer.error["detail"]
    assert staged(tmp_path / "data") == blobs(tmp_path / "data") == []


@pytest.mark.parametrize("way", [form, put, tus])
async def test_by_every_way(alice: Client, tmp_path: Path, way: Callable[[Client, bytes], Any]) -> None:
    answer = await way(alice, hostile.overlapping_zip())
    assert (answer.status, answer.error["code"]) == (415, "archive_bomb"), answer.raw
    assert staged(tmp_path / "data") == blobs(tmp_path / "data") == []
    assert (await way(alice, hostile.zipped({"a": b"harmless"}))).status in (200, 201, 204)


async def test_one_of_several_is_refused_alone(alice: Client) -> None:
    answer = await form(alice, b"text", hostile.overlapping_zip())
    assert answer.status == 207
    assert [item["error"] and item["error"]["code"] for item in answer.data] == [None, "archive_bomb"]


@pytest.mark.parametrize("content", [b"MZ\x90\x00", b"\x7fELF\x02"])
async def test_a_program_that_is_named_as_a_picture_is_refused(alice: Client, tmp_path: Path, content: bytes) -> None:
    answer = await form(alice, content, name="holiday.png")
    assert (answer.status, answer.error["code"]) == (415, "file_type_refused")
    assert staged(tmp_path / "data") == blobs(tmp_path / "data") == []


# What is kept

NAMES = {
    "3.6 gigapixels in a header": "a.png", "a text of 20 MB in a picture": "a.png", "four hundred frames": "a.gif",
    "HTML behind a picture": "a.png", "pages in a circle": "a.pdf", "two billion pages": "a.pdf",
    "a stream of 20 MB": "a.pdf", "a billion laughs": "a.docx", "an entity from outside": "a.docx",
    "XML with entities": "a.xml", "SVG with script": "a.svg", "SVG with entities": "a.svg",
    "HTML with script": "a.html",
}  # fmt: skip
"""Of the corpus: one or two of each kind, as `tests/server/previews/test_hostile.py` has them all."""
PASSIVE = frozenset({"image/png", "image/gif", "application/pdf"})
CORPUS = [each for each in corpus.files() if each.name in NAMES]


@pytest.fixture
async def previewing(tmp_path: Path) -> AsyncIterator[Server]:
    async with serving(tmp_path / "data", PREVIEWS="on") as running:
        yield running


async def test_what_is_kept_harms_nobody(previewing: Server) -> None:
    """Browsers take it for what runs nothing, alone in an origin of its own; what is made of it is small."""
    assert len(CORPUS) == len(NAMES)
    alice = previewing.client("alice")
    files = [(each, (await form(alice, each.data, name=NAMES[each.name])).data) for each in CORPUS]
    await until_previewed(previewing)
    wrong = [f"{each.name}: {said}" for each, file in files for said in await harms(alice, each, file["id"])]
    assert wrong == []


async def harms(alice: Client, each: Hostile, file_id: str) -> list[str]:
    file = (await alice.get(f"{FILES}/{file_id}")).data
    made = await alice.get(file["url"], disposition="inline")
    found = [f"its preview is {one}" for one in file["previews"] if one["size"] > 1_000_000]
    if each.media_type == "image/svg+xml":
        found += [f"it is drawn: {one}" for one in file["previews"]]
    if made.headers["X-Content-Type-Options"] != "nosniff" or "sandbox" not in made.headers["Content-Security-Policy"]:
        found.append(f"its headers are {made.headers}")
    is_shown = made.headers["Content-Disposition"].startswith("inline")
    if is_shown and made.headers["Content-Type"] not in PASSIVE:
        found.append(f"it is shown as {made.headers['Content-Type']}")
    if not is_shown and made.headers["Content-Type"] in ("text/html", "image/svg+xml", "application/xml"):
        found.append(f"it is named as {made.headers['Content-Type']}")
    for one in file["previews"]:
        shown = await alice.get(one["url"])
        if shown.headers["Content-Type"].partition(";")[0] not in ("image/webp", "text/plain", "application/json"):
            found.append(f"its preview is {shown.headers['Content-Type']}")
    return found


async def test_a_polyglot_is_downloaded_whatever_is_asked_for(alice: Client) -> None:
    picture = next(each for each in CORPUS if each.name == "HTML behind a picture")
    file = (await form(alice, picture.data, name="a.png")).data
    answer = await alice.get(file["url"], disposition="inline")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")
