"""What is made of which kind of file, by real workers."""

import asyncio
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from server.files.types.type_names import DOCX, PPTX, XLSX
from server.previews.kinds import can_preview, missing_extra
from server.previews.preview import Preview, PreviewFailed
from server.previews.previewer import Previewer
from tests.server.files.hostile import zipped

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")


async def _make(previewer: Previewer, tmp_path: Path, data: bytes, media_type: str) -> Preview:
    path = tmp_path / "file"
    path.write_bytes(data)
    return await previewer.preview(path, media_type, tmp_path / "into")


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    made = io.BytesIO()
    image.save(made, kind, **options)
    return made.getvalue()


def _names(preview: Preview) -> list[str]:
    return [output.name for output in preview.outputs]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "AVIF", "BMP", "TIFF", "ICO"])
async def test_a_picture_has_thumbnails_and_a_placeholder(previewer: Previewer, tmp_path: Path, kind: str) -> None:
    media_type = "image/x-icon" if kind == "ICO" else f"image/{kind.lower()}"
    picture = Image.linear_gradient("L").resize((256, 192) if kind != "ICO" else (256, 256)).convert("RGB")
    preview = await _make(previewer, tmp_path, _saved(picture, kind), media_type)
    assert _names(preview) == ["small", "medium"]
    assert [output.width for output in preview.outputs] == [160, 256]
    assert preview.metadata["width"] == 256
    assert preview.placeholder is not None
    assert len(preview.placeholder) == 28
    for output in preview.outputs:
        with Image.open(output.path) as image:
            assert (image.format, image.size) == ("WEBP", (output.width, output.height))
        assert output.size == output.path.stat().st_size


async def test_a_large_photograph_is_upright_and_tells_nothing(previewer: Previewer, tmp_path: Path) -> None:
    picture = Image.new("RGB", (3000, 2000), "red")
    picture.paste("blue", (0, 0, 1500, 2000))
    exif = Image.Exif()
    exif[0x0112] = 6  # turned to the right
    exif[0x010E] = "where I live"
    data = _saved(picture, "JPEG", exif=exif, comment=b"where I live")
    preview = await _make(previewer, tmp_path, data, "image/jpeg")
    sizes = {output.name: (output.width, output.height) for output in preview.outputs}
    assert sizes == {"small": (107, 160), "medium": (320, 480), "large": (853, 1280)}
    assert (preview.metadata["width"], preview.metadata["height"]) == (2000, 3000)
    for output in preview.outputs:
        assert b"where I live" not in output.path.read_bytes()
        with Image.open(output.path) as image:
            assert not image.getexif()
            red, _, blue = image.convert("RGB").resize((1, 2)).getpixel((0, 0))  # type: ignore[misc]
            assert blue > red


async def test_an_animation_is_shown_by_its_first_frame(previewer: Previewer, tmp_path: Path) -> None:
    frames = [Image.new("RGB", (40, 30), colour) for colour in ("red", "green", "blue")]
    data = _saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    preview = await _make(previewer, tmp_path, data, "image/gif")
    assert preview.metadata["frames"] == 3
    with Image.open(preview.outputs[0].path) as image:
        assert image.convert("RGB").getpixel((5, 5))[0] > 200  # type: ignore[index]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
async def test_pictures_of_every_mode(previewer: Previewer, tmp_path: Path, mode: str) -> None:
    preview = await _make(previewer, tmp_path, _saved(Image.new(mode, (3, 90)), "PNG"), "image/png")
    assert _names(preview) == ["small"]
    assert preview.placeholder is not None
    assert preview.placeholder.startswith("#")


def _pdf(pages: int) -> bytes:
    sheets = [Image.new("RGB", (300, 400), "white") for _ in range(pages)]
    return _saved(sheets[0], "PDF", save_all=True, append_images=sheets[1:])


async def test_a_pdf_has_its_first_pages(previewer: Previewer, tmp_path: Path) -> None:
    preview = await _make(previewer, tmp_path, _pdf(6), "application/pdf")
    assert _names(preview) == ["small", "medium", "page-1", "page-2", "page-3", "page-4"]
    assert preview.metadata["pages"] == 6


TEXT_PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>endobj\n"
    b"4 0 obj<</Length 41>>stream\nBT /F1 24 Tf 20 100 Td (Hello pages) Tj ET\nendstream endobj\n"
    b"5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\ntrailer<</Root 1 0 R>>\n"
)


async def test_a_pdf_has_its_text(previewer: Previewer, tmp_path: Path) -> None:
    preview = await _make(previewer, tmp_path, TEXT_PDF, "application/pdf")
    assert preview.text == "Hello pages"


async def test_a_text_is_shown_by_its_beginning(previewer: Previewer, tmp_path: Path) -> None:
    preview = await _make(previewer, tmp_path, "grüße\n".encode("utf-16") * 1, "text/plain")
    assert preview.text == "grüße\n"
    preview = await _make(previewer, tmp_path, b"line\n" * 100_000, "text/x-python")
    assert preview.metadata == {"lines": 6554, "truncated": True}
    assert preview.text is not None
    assert len(preview.text) == 256 * 1024
    assert preview.outputs[0].path.read_text() == preview.text[: 32 * 1024]


async def test_text_has_no_control_characters(previewer: Previewer, tmp_path: Path) -> None:
    preview = await _make(previewer, tmp_path, b"a\x1b[31mred\x08\tb\n", "text/plain")
    assert preview.text == "a[31mred\tb\n"


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
async def test_a_table_of_the_beginning(previewer: Previewer, tmp_path: Path, separator: str) -> None:
    lines = [["name", "a quoted, one; and", "n"], ["x", "1", "2"], ["ragged"], ["y", "3", "4", "more"]]
    data = "\n".join(separator.join(f'"{cell}"' if "quoted" in cell else cell for cell in row) for row in lines)
    preview = await _make(previewer, tmp_path, data.encode(), "text/csv")
    table = json.loads(preview.outputs[0].path.read_bytes())
    assert table == {"rows": lines, "columns": 4, "separator": separator, "truncated": False}
    assert preview.metadata == {"columns": 4, "rows": 4}


async def test_a_long_table_is_cut(previewer: Previewer, tmp_path: Path) -> None:
    preview = await _make(previewer, tmp_path, b"a,b\n" * 5000, "text/csv")
    table = json.loads(preview.outputs[0].path.read_bytes())
    assert (len(table["rows"]), table["truncated"]) == (100, True)


W = b'<w:document xmlns:w="urn:w"><w:body><w:p><w:r><w:t>First</w:t></w:r></w:p><w:p><w:r><w:t>Second</w:t></w:r></w:p>'


async def test_the_text_of_office_documents(previewer: Previewer, tmp_path: Path) -> None:
    document = zipped({"word/document.xml": W + b"</w:body></w:document>"})
    assert (await _make(previewer, tmp_path, document, DOCX)).text == "First\nSecond"
    slide = b'<p:sld xmlns:p="urn:p" xmlns:a="urn:a"><a:p><a:r><a:t>Slide %d</a:t></a:r></a:p></p:sld>'
    slides = zipped({f"ppt/slides/slide{number}.xml": slide % number for number in (10, 2, 1)})
    assert (await _make(previewer, tmp_path, slides, PPTX)).text == "Slide 1\nSlide 2\nSlide 10"


async def test_the_first_sheet_of_a_workbook(previewer: Previewer, tmp_path: Path) -> None:
    strings = b"<sst><si><t>Name</t></si><si><r><t>Am</t></r><r><t>ount</t></r></si></sst>"
    sheet = (
        b'<worksheet><sheetData><row><c r="A1" t="s"><v>0</v></c><c r="C1" t="s"><v>1</v></c></row>'
        b'<row><c r="B2"><v>7.5</v></c><c t="inlineStr"><is><t>here</t></is></c><c t="s"><v>99</v></c></row>'
        b"</sheetData></worksheet>"
    )
    book = zipped({"xl/sharedStrings.xml": strings, "xl/worksheets/sheet1.xml": sheet})
    preview = await _make(previewer, tmp_path, book, XLSX)
    table = json.loads(preview.outputs[0].path.read_bytes())
    assert table["rows"] == [["Name", "", "Amount"], ["", "7.5", "here", ""]]
    assert preview.text == "Name\nAmount"


CONVERTER = "import pathlib, shutil, sys; shutil.copy(sys.argv[1] + '.pdf', pathlib.Path(sys.argv[2]) / 'file.pdf')"


async def test_a_converter_makes_pages_of_office_documents(tmp_path: Path) -> None:
    (tmp_path / "file.pdf").write_bytes(_pdf(2))
    previewer = Previewer(workers=1, convert=[sys.executable, "-c", CONVERTER, "{input}", "{output_dir}"])
    try:
        preview = await _make(previewer, tmp_path, zipped({"word/document.xml": W}), DOCX)
        assert previewer.can_preview("application/msword")
    finally:
        await previewer.close()
    assert _names(preview) == ["small", "medium", "page-1", "page-2"]
    assert preview.text == "First\nSecond"
    assert preview.metadata["pages"] == 2


@pytest.mark.parametrize("command", [["false"], ["true"], ["/nowhere/soffice"]])
async def test_a_converter_that_fails_is_a_reason(tmp_path: Path, command: list[str]) -> None:
    previewer = Previewer(workers=1, convert=command)
    try:
        with pytest.raises(PreviewFailed, match=r"failed|has made no PDF"):
            await _make(previewer, tmp_path, zipped({"word/document.xml": W}), DOCX)
    finally:
        await previewer.close()


def _wav(seconds: int) -> bytes:
    size = 8000 * seconds
    head = b"RIFF" + (36 + size).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
    head += b"\x01\x00\x01\x00" + (8000).to_bytes(4, "little") * 2 + b"\x01\x00\x08\x00"
    return head + b"data" + size.to_bytes(4, "little") + bytes(size)


async def test_a_sound_has_a_duration(previewer: Previewer, tmp_path: Path) -> None:
    preview = await _make(previewer, tmp_path, _wav(3), "audio/wav")
    assert preview.metadata["duration"] == 3.0
    assert preview.metadata["channels"] == 1
    assert preview.outputs == ()


@needs_ffmpeg
@pytest.mark.parametrize(("name", "codec"), [("mp4", "mpeg4"), ("webm", "libvpx")])
async def test_a_video_has_a_poster(previewer: Previewer, tmp_path: Path, name: str, codec: str) -> None:
    path = tmp_path / f"a.{name}"
    made = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=d=2:s=320x180:r=5", "-c:v", codec, str(path)]
    await asyncio.to_thread(subprocess.run, made, check=True)
    preview = await _make(previewer, tmp_path, path.read_bytes(), f"video/{name}")
    assert _names(preview) == ["poster", "small", "medium"]
    assert (preview.metadata["width"], preview.metadata["height"]) == (320, 180)
    assert preview.metadata["duration"] == 2.0


@pytest.mark.parametrize("media_type", ["image/svg+xml", "application/zip", "application/octet-stream"])
async def test_of_other_files_nothing_is_made(previewer: Previewer, tmp_path: Path, media_type: str) -> None:
    assert not can_preview(media_type)
    assert await _make(previewer, tmp_path, b"<svg onload='alert(1)'/>", media_type) == Preview()


def test_the_extra_is_installed_for_tests() -> None:
    assert missing_extra() is None


async def test_without_the_extra_there_is_a_reason_and_text_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = tmp_path / "hidden"
    for name in ("PIL", "pypdfium2", "tinytag", "blurhash"):
        (hidden / name).mkdir(parents=True)
        (hidden / name / "__init__.py").write_text("raise ImportError('not installed')")
    monkeypatch.setenv("PYTHONPATH", str(hidden))
    previewer = Previewer(workers=1)
    try:
        with pytest.raises(PreviewFailed, match=r"image/png needs the extra `preview`: pip install"):
            await _make(previewer, tmp_path, _saved(Image.new("RGB", (9, 9)), "PNG"), "image/png")
        assert (await _make(previewer, tmp_path, b"text", "text/plain")).text == "text"
    finally:
        await previewer.close()
