"""Hostile files, made at run time: what each is, its type, and what becomes of it."""

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image

from server.files.types.type_names import DOCX, XLSX
from tests.server.files.hostile import zipped


@dataclass(frozen=True, slots=True)
class Hostile:
    name: str
    media_type: str
    data: bytes
    refused: str | None = None
    """Part of the reason; None where a preview is made, or nothing, without harm."""


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(width: int, height: int, *chunks: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = _chunk(b"IDAT", zlib.compress(bytes((1 + 3 * min(width, 100)) * min(height, 100))))
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + b"".join(chunks) + pixels + _chunk(b"IEND", b"")


def _saved(kind: str, size: tuple[int, int] = (400, 300), **options: object) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", size, "red").save(made, kind, **options)
    return made.getvalue()


def _many_frames() -> bytes:
    frames = [Image.new("P", (2, 2), number % 2) for number in range(400)]
    made = io.BytesIO()
    frames[0].save(made, "GIF", save_all=True, append_images=frames[1:], optimize=False)
    return made.getvalue()


def _looping_tiff() -> bytes:
    """Its last directory names itself as the next."""
    data = bytearray(_saved("TIFF", (10, 10)))
    start = struct.unpack_from("<I", data, 4)[0]
    count = struct.unpack_from("<H", data, start)[0]
    struct.pack_into("<I", data, start + 2 + 12 * count, start)
    return bytes(data)


def _pictures() -> Iterator[Hostile]:
    yield Hostile("3.6 gigapixels in a header", "image/png", _png(60_000, 60_000), "exceeds limit|pixels")
    yield Hostile("81 megapixels in a header", "image/png", _png(9_000, 9_000), "more than 64000000")
    yield Hostile("a line of 4 billion pixels", "image/png", _png(2**31 - 1, 1), "damaged")
    yield Hostile("a text of 20 MB in a picture", "image/png", _png(1, 1, _text_bomb()), "damaged|memory")
    yield Hostile("half of a PNG", "image/png", _saved("PNG", (900, 900), compress_level=0)[:90_000], "damaged")
    yield Hostile("half of a JPEG", "image/jpeg", _saved("JPEG")[:900], "damaged")
    yield Hostile("half of a WebP", "image/webp", _saved("WEBP")[:60], "damaged")
    yield Hostile("a PNG that says it is a JPEG", "image/jpeg", _saved("PNG"), "damaged")
    yield Hostile("PostScript that says it is a TIFF", "image/tiff", b"%!PS-Adobe-3.0 EPSF-3.0\n", "damaged")
    yield Hostile("nothing", "image/gif", b"", "damaged")
    yield Hostile("four hundred frames", "image/gif", _many_frames())
    yield Hostile("directories in a circle", "image/tiff", _looping_tiff())
    yield Hostile("HTML behind a picture", "image/png", _saved("PNG") + b"<script>alert(1)</script>")


def _text_bomb() -> bytes:
    return _chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(20_000_000)))


def _pdf(body: bytes) -> bytes:
    return b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n" + body + b"trailer<</Root 1 0 R>>\n"


def _pdf_page(box: bytes, content: bytes = b"", how: bytes = b"") -> bytes:
    stream = b"4 0 obj<</Length %d%s>>stream\n%s\nendstream endobj\n" % (len(content), how, content)
    return _pdf(
        b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[" + box + b"]/Contents 4 0 R>>endobj\n" + stream
    )


def _documents() -> Iterator[Hostile]:
    pdf = "application/pdf"
    circle = b"2 0 obj<</Type/Pages/Kids[2 0 R 2 0 R]/Count 2>>endobj\n"
    endless = b"2 0 obj<</Type/Pages/Kids[]/Count 2147483647>>endobj\n"
    script = b"2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n5 0 obj<</S/JavaScript/JS(app.alert(1))>>endobj\n"
    stream = zlib.compress(b"0 0 1 1 re f\n" * 40_000)
    yield Hostile("pages in a circle", pdf, _pdf(circle), None)
    yield Hostile("two billion pages", pdf, _pdf(endless), "cannot be read")
    yield Hostile("a PDF with script", pdf, _pdf(script), "cannot be read")
    yield Hostile("a page of a million kilometres", pdf, _pdf_page(b"0 0 1e12 1e12"), None)
    yield Hostile("a page without a width", pdf, _pdf_page(b"0 0 0 500"), None)
    yield Hostile("40,000 rectangles", pdf, _pdf_page(b"0 0 300 200", stream, b"/Filter/FlateDecode"), None)
    yield Hostile("a stream of 20 MB", pdf, _pdf_page(b"0 0 9 9", _packed_spaces(), b"/Filter/FlateDecode"), None)
    yield Hostile("no PDF", pdf, b"%PDF-1.4 " + bytes(3000), "cannot be read")


def _packed_spaces() -> bytes:
    return zlib.compress(b" " * 20_000_000)


LAUGHS = b"<!DOCTYPE x [<!ENTITY a 'ha'>" + b"".join(
    b"<!ENTITY %c '%s'>" % (ord("b") + n, b"&%c;" % (ord("a") + n) * 20) for n in range(9)
)


def _office() -> Iterator[Hostile]:
    entities = LAUGHS + b"]><w:t>&j;</w:t>"
    outside = b"<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><w:t>&a;</w:t>"
    yield Hostile("a billion laughs", DOCX, zipped({"word/document.xml": entities}), "document type")
    yield Hostile("an entity from outside", DOCX, zipped({"word/document.xml": outside}), "document type")
    yield Hostile("XML of 40 MB", DOCX, zipped({"word/document.xml": b"<t>" + b"a" * 40_000_000}))
    yield Hostile("XML nested without end", DOCX, zipped({"word/document.xml": b"<t>" * 1_000_000}), "nested")
    yield Hostile("parts above its root", DOCX, zipped({"../../word/document.xml": b"<t/>", "/etc/passwd": b""}))
    cells = b"<sheetData><row>" + b'<c r="ZZZ1"><v>1</v></c>' * 20_000
    yield Hostile("twenty thousand columns", XLSX, zipped({"xl/worksheets/sheet1.xml": cells}))
    yield Hostile("a damaged zip", DOCX, zipped({"word/document.xml": b"<t/>"})[:60])


def _texts() -> Iterator[Hostile]:
    svg = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'>"
    yield Hostile("a million columns", "text/csv", b"a," * 1_000_000)
    yield Hostile("a quote that never ends", "text/csv", b'a,b\n"' + b"c,d\n" * 500_000)
    yield Hostile("nothing but quotes", "text/csv", b'"' * 1_000_000)
    yield Hostile("a table of zeros", "text/csv", bytes(1_000_000), "no text")
    yield Hostile("JSON nested without end", "application/json", b"[" * 5_000_000)
    yield Hostile("a line of 5 MB", "text/plain", b"x" * 5_000_000)
    yield Hostile("SVG with script", "image/svg+xml", svg + b"<script>alert(1)</script></svg>")
    yield Hostile("SVG with entities", "image/svg+xml", LAUGHS + b"]><svg>&j;</svg>")
    yield Hostile("HTML with script", "text/html", b"<script>alert(1)</script>")
    yield Hostile("XML with entities", "application/xml", LAUGHS + b"]><x>&j;</x>")


def _media() -> Iterator[Hostile]:
    playlist = b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n#EXTINF:1,\nhttp://127.0.0.1:9/\n"
    box = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2mp41" + b"\x00\x00\x00\x08moov" * 10_000
    long_box = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2mp41" + b"\x7f\xff\xff\xffmoov"
    yield Hostile("a playlist that says it is a video", "video/mp4", playlist, "ffprobe|$")
    yield Hostile("boxes without end", "video/mp4", box, "ffprobe|$")
    yield Hostile("a box of 2 GB", "video/mp4", long_box, "ffprobe|$")
    yield Hostile("a sound of no bytes", "audio/mpeg", b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f", "ffprobe|$")


def files() -> Iterator[Hostile]:
    for kind in (_pictures, _documents, _office, _texts, _media):
        yield from kind()
