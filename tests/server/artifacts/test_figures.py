"""Figures that name a file: shown in HTML, PDF and on the page of a link, with the rights of who exports."""

import base64
import io
from typing import Any

import pypdfium2
import pytest
from PIL import Image as Pictures

from actors import limits
from server.artifacts.images import image_of
from tests.files import stored_file
from tests.server.artifacts.test_exports import create, fetch
from tests.server.exports.reading import pages_of
from tests.server.quiet import nothing_breaks
from tests.serving import Client, Server

__all__ = ["nothing_breaks"]


def picture(form: str, width: int = 60, height: int = 40, **more: Any) -> bytes:
    out = io.BytesIO()
    Pictures.new("RGB", (width, height), "red").save(out, form, **more)
    return out.getvalue()


def figure(file_id: str) -> dict[str, Any]:
    return {"type": "figure", "file_id": file_id, "alt_text": "A red square", "caption": "Seen"}


async def store(server: Server, client: Client, thread_id: str | None, content: bytes, name: str = "a.png") -> str:
    return (await stored_file(server, (await client.me())["id"], thread_id, content, name)).id


async def report(client: Client, thread: Any, *files: str) -> str:
    return await create(client, thread, {"sections": [figure(file_id) for file_id in files]})


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "WEBP"])
def test_the_size_of_a_picture_is_in_its_first_bytes(form: str) -> None:
    found = image_of(picture(form, 300, 7))
    assert found is not None
    assert (found.width, found.height, found.media_type) == (300, 7, f"image/{form.lower()}")


def test_the_other_kinds_of_webp() -> None:
    for more in ({"lossless": True}, {"exif": b"Exif\0\0", "quality": 5}):
        found = image_of(picture("WEBP", 301, 9, **more))
        assert found is not None
        assert (found.width, found.height) == (301, 9)


@pytest.mark.parametrize(
    "body",
    [b"", b"<svg/>", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"\xff\xd8\xff\xe0\xff", b"GIF89a", b"RIFF0000WEBPVP8 ",
     b"\xff\xd8" + b"\xff\xe0\x00\x00" * 1000],
)  # fmt: skip
def test_what_is_no_picture(body: bytes) -> None:
    assert image_of(body) is None


async def test_html_and_pdf_show_it(server: Server, alice: Client, bob: Client, thread: Any) -> None:
    bodies = [picture("PNG"), picture("JPEG"), picture("GIF"), picture("WEBP")]
    files = [await store(server, alice, thread["id"], body, f"a.{n}") for n, body in enumerate(bodies)]
    url = f"{await report(alice, thread, *files)}/export"
    html = (await bob.get(url, format="html")).raw.decode()
    for body in bodies:
        assert f"base64,{base64.b64encode(body).decode()}" in html
    assert html.count("<img ") == 4
    pdf = await bob.get(url, format="pdf")
    assert pdf.status == 200, pdf.raw
    assert pictures_in(pdf.raw) == 4
    assert "not shown" not in " ".join(pages_of(pdf.raw))


def pictures_in(pdf: bytes) -> int:
    document = pypdfium2.PdfDocument(pdf)
    try:
        kinds = [thing.type for page in document for thing in page.get_objects()]
    finally:
        document.close()
    return kinds.count(pypdfium2.raw.FPDF_PAGEOBJ_IMAGE)


async def test_the_page_of_a_link_has_what_its_maker_sees(server: Server, alice: Client, thread: Any) -> None:
    file_id = await store(server, alice, thread["id"], picture("PNG"))
    url = await report(alice, thread, file_id)
    share = (await alice.post(f"{url}/shares")).data
    _, page, _ = await fetch(server, share["url"])
    assert 'src="data:image/png;base64,' in page


async def test_who_may_not_read_the_file_sees_why(server: Server, alice: Client, bob: Client, thread: Any) -> None:
    own = await store(server, alice, None, picture("PNG"))
    url = f"{await report(alice, thread, own)}/export"
    assert "<img" in (await alice.get(url, format="html")).raw.decode()
    html = (await bob.get(url, format="html")).raw.decode()
    assert "<img" not in html
    assert "A red square (this picture is not shown: there is no such file" in html


async def said(client: Client, url: str) -> str:
    page = " ".join(pages_of((await client.get(f"{url}/export", format="pdf")).raw))
    assert "A red square (this picture is not" in page.replace("\n", " ")
    html = (await client.get(f"{url}/export", format="html")).raw.decode()
    assert "<img" not in html
    return html.partition("not shown: ")[2].partition(")<")[0]


async def test_what_is_not_shown_says_why(
    server: Server, alice: Client, thread: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def reason(content: bytes, name: str = "a.png") -> str:
        return await said(alice, await report(alice, thread, await store(server, alice, thread["id"], content, name)))

    assert await reason(b"Words.", "a.txt") == "the file is no PNG, JPEG, GIF or WebP"
    assert (
        await reason(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a.svg") == "the file is no PNG, JPEG, GIF or WebP"
    )
    gone = await store(server, alice, thread["id"], picture("PNG"))
    url = await report(alice, thread, gone)
    assert (await alice.delete(f"/api/v1/files/{gone}")).status == 200
    assert await said(alice, url) == "there is no such file for the reader of this document"
    monkeypatch.setattr(limits, "EXPORT_IMAGE_PIXELS", 100)
    assert await reason(picture("PNG")) == "it has too many pixels (60 × 40)"
    monkeypatch.undo()
    monkeypatch.setattr(limits, "EXPORT_IMAGES_BYTES", 10)
    assert "at most" in await reason(picture("PNG"))
    monkeypatch.undo()
    monkeypatch.setattr(limits, "EXPORT_IMAGES", 0)
    assert await reason(picture("PNG")) == "a document shows 0 files at most"


async def test_a_damaged_picture_costs_itself_and_not_the_document(server: Server, alice: Client, thread: Any) -> None:
    damaged = await store(server, alice, thread["id"], picture("PNG")[:60])
    made = await alice.get(f"{await report(alice, thread, damaged)}/export", format="pdf")
    assert made.status == 200, made.raw
    assert "A red square (this picture is not" in " ".join(pages_of(made.raw)).replace("\n", " ")
