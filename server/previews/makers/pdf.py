"""PDF: its first pages as pictures, and the text of its pages."""

from pathlib import Path

import pypdfium2 as pdfium
from PIL import Image

from server.previews.job import Job
from server.previews.limits import PDF_PAGES, PDF_PAGES_READ, PDF_SCALE, SIZES, TEXT_CHARS
from server.previews.makers.thumbnails import placeholder, save
from server.previews.preview import Output, Preview, PreviewFailed


def make(job: Job) -> Preview:
    return preview_pdf(job.path, job.into)


def preview_pdf(path: Path, into: Path) -> Preview:
    try:
        document = pdfium.PdfDocument(path)
    except pdfium.PdfiumError as error:
        raise PreviewFailed(f"the PDF cannot be read, or needs a password: {error}") from error
    try:
        return _preview(document, into)
    finally:
        document.close()


def _preview(document: pdfium.PdfDocument, into: Path) -> Preview:
    outputs: list[Output] = []
    first: str | None = None
    for number in range(min(PDF_PAGES, len(document))):
        picture = _draw(document, number)
        if picture is None:
            break
        if number == 0:
            first = placeholder(picture)
            outputs += [save(picture, name, SIZES[name], into) for name in ("small", "medium")]
        outputs.append(save(picture, f"page-{number + 1}", SIZES["large"], into))
    return Preview(tuple(outputs), _text(document), {"pages": len(document)}, first)


def _draw(document: pdfium.PdfDocument, number: int) -> Image.Image | None:
    """None for a page that is not there, though the document counts it."""
    try:
        page = document[number]
    except pdfium.PdfiumError:
        return None
    width, height = page.get_size()
    scale = min(PDF_SCALE, SIZES["large"] / max(1.0, width, height))
    picture: Image.Image = page.render(scale=scale, may_draw_forms=False).to_pil()
    page.close()
    return picture.convert("RGB")


def _text(document: pdfium.PdfDocument) -> str | None:
    parts: list[str] = []
    left = TEXT_CHARS
    for number in range(min(PDF_PAGES_READ, len(document))):
        part = _text_of_page(document, number, left)
        if part is None or left <= 0:
            break
        parts.append(part)
        left -= len(part) + 1
    return "\n".join(parts).strip() or None


def _text_of_page(document: pdfium.PdfDocument, number: int, characters: int) -> str | None:
    try:
        page = document[number]
        text = page.get_textpage()
    except pdfium.PdfiumError:
        return None
    count = min(text.count_chars(), characters)
    found = text.get_text_range(0, count) if count > 0 else ""
    text.close()
    page.close()
    return str(found).replace("\r\n", "\n")
