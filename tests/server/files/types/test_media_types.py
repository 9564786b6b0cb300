"""What a file is: by its content, held against its name and what was declared."""

import io
import random
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.files.types.media_types import Sniffed, sniff, sniff_file
from server.files.types.type_names import DOCX, ODT
from server.files.types.type_rules import Serving, TypeLists, parse_patterns, serving
from tests.server.files import hostile

PNG = hostile.one_pixel_png()
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
GIF = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00"
WINDOWS_PROGRAM = b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00"
MP3 = b"ID3\x04\x00\x00\x00\x00\x00\x00" + b"\xff\xfb\x90\x00" * 20
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00"
MP4 = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2mp41"
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n"
DOCX_FILE = hostile.zipped({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w/>"})
MACROS = hostile.zipped(
    {"[Content_Types].xml": b"<T/>", "word/document.xml": b"<w/>", "word/vbaProject.bin": b"\xd0\xcf"}
)
ODT_FILE = hostile.zipped({"mimetype": ODT.encode(), "content.xml": b"<x/>"}, zipfile.ZIP_STORED)
JAR = hostile.zipped({"META-INF/MANIFEST.MF": b"Manifest-Version: 1.0\n"})


def _sniff(data: bytes, name: str = "", declared: str | None = None) -> Sniffed:
    return sniff_file(io.BytesIO(data), name, declared)


@pytest.mark.parametrize(
    ("data", "name", "expected"),
    [
        (PNG, "a.png", "image/png"),
        (JPEG, "a.jpg", "image/jpeg"),
        (GIF, "a.gif", "image/gif"),
        (MP3, "a.mp3", "audio/mpeg"),
        (WAV, "a.wav", "audio/wav"),
        (MP4, "a.mp4", "video/mp4"),
        (PDF, "a.pdf", "application/pdf"),
        (b"\xef\xbb\xbf \n" + PDF, "a.pdf", "application/pdf"),
        (b"hello", "a.txt", "text/plain"),
        (b"", "a.txt", "text/plain"),
        ("grüße".encode("utf-16"), "a.txt", "text/plain"),
        ("grüße und mehr".encode("windows-1252"), "a.txt", "text/plain"),
        (b"\xef\xbb\xbfhello", "", "text/plain"),
        (b"BMW builds cars", "", "text/plain"),
        (b"# Title\n\nText", "README.md", "text/markdown"),
        (b"import os\n", "a.py", "text/x-python"),
        (b"a,b\n1,2\n", "a.csv", "text/csv"),
        (b"a;b;c\n1;2;3\n4;5;6\n7;8;9\n", "", "text/csv"),
        (b"a\tb\tc\n1\t2\t3\n4\t5\t6\n7\t8\t9\n", "", "text/tab-separated-values"),
        (b"Well, then, no.\nYes, I say, no.\nSo, be, it.", "", "text/plain"),
        (b'{"a": [1, 2]}', "", "application/json"),
        (b"[brackets] are text", "", "text/plain"),
        (b"[" * 60_000, "", "application/json"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a.svg", "image/svg+xml"),
        (b"<?xml version='1.0'?><note/>", "a.xml", "application/xml"),
        (DOCX_FILE, "a.docx", DOCX),
        (ODT_FILE, "a.odt", ODT),
        (JAR, "a.jar", "application/java-archive"),
        (MACROS, "a.docm", "application/vnd.ms-word.document.macroenabled.12"),
        (hostile.zipped({"a": b"b"}), "a.zip", "application/zip"),
        (WINDOWS_PROGRAM, "a.exe", "application/vnd.microsoft.portable-executable"),
        (b"\x00\x01\x02 noise \xff", "", "application/octet-stream"),
    ],
)
def test_a_type_is_read_from_the_content(data: bytes, name: str, expected: str) -> None:
    sniffed = _sniff(data, name)
    assert (sniffed.media_type, sniffed.trusted, sniffed.warnings) == (expected, True, ())


@pytest.mark.parametrize(
    "text",
    [
        "<!DOCTYPE html><p>",
        "<HTML>",
        "\ufeff \r\n\t<ScRiPt>alert(1)</script>",
        "<!-- one --><!-- two -->\n<body onload=alert(1)>",
        "<!-- never closed",
        "<!-->--><script>",
        "<?php ?>\n<html>",
        '<?xml version="1.0"?><!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0"><html/>',
        '<html xmlns="http://www.w3.org/1999/xhtml">',
        "<iframe src=x>",
        "<img src=x onerror=alert(1)>",
        "<p",
    ],
)
@pytest.mark.parametrize("name", ["a.txt", "a.png", "a.md", ""])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_html_is_html_whatever_stands_before_it_and_however_it_is_named(text: str, name: str, encoding: str) -> None:
    sniffed = _sniff(text.encode(encoding), name, "text/plain")
    assert sniffed.media_type == "text/html"
    assert serving(sniffed) == Serving("application/octet-stream", inline=False)


@pytest.mark.parametrize(
    "text",
    [
        '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        '<?xml version="1.0"?>\n<!-- by a tool -->\n<SVG>',
        '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "x" [<!ENTITY a "aaaa">]><svg>&a;</svg>',
        '<x:svg xmlns:x="http://www.w3.org/2000/svg">',
    ],
)
def test_svg_is_svg_and_never_shown(text: str) -> None:
    sniffed = _sniff(text.encode(), "a.png")
    assert sniffed.media_type == "image/svg+xml"
    assert serving(sniffed) == Serving("application/octet-stream", inline=False)


@pytest.mark.parametrize(
    ("data", "name", "also"),
    [
        (PNG + b"<script>alert(1)</script>", "a.png", "text/html"),
        (JPEG + b"\xff\xfe\x00\x20<html><body onload=alert(1)>" + bytes(100_000), "a.jpg", "text/html"),
        (PNG + bytes(200_000) + b"<svg onload=alert(1)>", "a.png", "text/html"),
        (PNG + hostile.zipped({"a": b"b"}), "a.png", "application/zip"),
        (GIF + JAR, "a.gif", "application/java-archive"),
        (MP4 + DOCX_FILE, "a.mp4", DOCX),
        (PDF + b"<script>alert(1)</script>", "a.pdf", "text/html"),
        (b"GIF89a/*\x00\x00\xff*/=1;alert(1)", "a.gif", "text/javascript"),
        (b"GIF89a=1;alert(1)//", "a.gif", "text/javascript"),
        (JPEG + b"%PDF-1.4 ", "a.jpg", "application/pdf"),
        (b"<!-- --><html> %PDF-1.4", "a.html", "application/pdf"),
    ],
)
def test_a_polyglot_is_found_and_only_downloaded(data: bytes, name: str, also: str) -> None:
    sniffed = _sniff(data, name)
    assert also in sniffed.also
    assert not sniffed.trusted
    assert sniffed.warnings
    assert serving(sniffed) == Serving("application/octet-stream", inline=False)


@pytest.mark.parametrize(
    ("data", "name", "declared", "said"),
    [
        (PNG, "a.jpg", None, "the name says image/jpeg, its content image/png"),
        (PNG, "a.png", "image/gif", "the declared type says image/gif, its content image/png"),
        (b"hello", "a.png", None, "the name says image/png, its content text/plain"),
        (b"\x00\xff", "a.pdf", None, "the name says application/pdf, its content application/octet-stream"),
        (hostile.zipped({"a": b"b"}), "a.docx", None, f"the name says {DOCX}, its content application/zip"),
    ],
)
def test_a_name_or_declared_type_that_disagrees_is_a_warning(
    data: bytes, name: str, declared: str | None, said: str
) -> None:
    sniffed = _sniff(data, name, declared)
    assert sniffed.warnings == (said,)
    assert not serving(sniffed).inline


@pytest.mark.parametrize(
    ("name", "declared"),
    [("a", None), ("a.png", "image/x-png"), ("a.unknown", "application/octet-stream"), ("a.PNG", "IMAGE/PNG; q=1")],
)
def test_what_says_nothing_or_the_same_is_no_disagreement(name: str, declared: str | None) -> None:
    assert _sniff(PNG, name, declared).trusted


@pytest.mark.parametrize(
    ("data", "name", "expected"),
    [
        (PNG, "a.png", Serving("image/png", inline=True)),
        (MP4, "a.mp4", Serving("video/mp4", inline=True)),
        (PDF, "a.pdf", Serving("application/pdf", inline=True)),
        (b"hello", "a.txt", Serving("text/plain; charset=utf-8", inline=True)),
        ("grüße".encode("utf-16"), "a.txt", Serving("text/plain; charset=utf-16", inline=True)),
        (b"print(1)", "a.py", Serving("text/plain; charset=utf-8", inline=True)),
        (b'{"a": 1}', "a.json", Serving("text/plain; charset=utf-8", inline=True)),
        (b"alert(1)", "a.js", Serving("application/octet-stream", inline=False)),
        (b"body {}", "a.css", Serving("application/octet-stream", inline=False)),
        (DOCX_FILE, "a.docx", Serving(DOCX, inline=False)),
        (b"\x00\xff", "a.bin", Serving("application/octet-stream", inline=False)),
    ],
)
def test_only_types_that_run_nothing_are_shown(data: bytes, name: str, expected: Serving) -> None:
    assert serving(_sniff(data, name)) == expected


@pytest.mark.parametrize("name", ["a.png", "a.txt", "a.pdf", "a.mp3", "a.json"])
@pytest.mark.parametrize("data", [WINDOWS_PROGRAM, b"\x7fELF\x02\x01\x01\x00\xff", JAR, PNG + JAR])
def test_a_program_under_another_name_is_refused(data: bytes, name: str) -> None:
    assert "program" in (TypeLists().refusal(_sniff(data, name), name) or "")


def test_a_script_under_the_name_of_a_picture_is_refused() -> None:
    assert TypeLists().refusal(_sniff(b"#!/bin/sh\nrm -rf /\n", "a.png"), "a.png") is not None
    assert TypeLists().refusal(_sniff(b"#!/bin/sh\nls\n", "a.sh"), "a.sh") is None


def test_a_program_under_its_own_name_is_accepted_unless_blocked() -> None:
    sniffed = _sniff(WINDOWS_PROGRAM, "setup.exe")
    assert TypeLists().refusal(sniffed, "setup.exe") is None
    blocked = TypeLists(blocked=parse_patterns("application/vnd.microsoft.*"))
    assert blocked.refusal(sniffed, "setup.exe") is not None


def test_lists_hold_for_every_reading() -> None:
    pictures = TypeLists(allowed=parse_patterns("image/*"))
    assert pictures.refusal(_sniff(PNG, "a.png"), "a.png") is None
    assert pictures.refusal(_sniff(b"text", "a.png"), "a.png") == (
        "Files of type text/plain are not accepted here; expected image/*."
    )
    assert pictures.refusal(_sniff(PNG + b"<script>1</script>", "a.png"), "a.png") is not None
    assert TypeLists(blocked=("text/html",)).refusal(_sniff(PNG + b"<script>", "a.png"), "a.png") is not None


@pytest.mark.parametrize("text", ["image", "image/", "/png", "image/png/x", "image/ png"])
def test_a_pattern_that_is_no_media_type_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected media types such as image"):
        parse_patterns(text)


@given(st.binary(max_size=3000), st.text(max_size=20), st.sampled_from([None, "image/png", "text/html"]))
def test_any_bytes_have_a_type(data: bytes, name: str, declared: str | None) -> None:
    sniffed = _sniff(data, name, declared)
    assert "/" in sniffed.media_type
    assert "/" in serving(sniffed).content_type


@pytest.mark.parametrize(
    "start", [b"<!--" * 16_000, b"<?" * 30_000, b"<!DOCTYPE a [" * 5_000, b"<" * 65_000, b" " * 65_000]
)
def test_text_made_to_be_slow_is_not(start: bytes) -> None:
    assert _sniff(start).media_type.startswith(("text/", "application/xml"))


def test_damaged_zips_are_only_zips(tmp_path: Path) -> None:
    chance = random.Random(5)
    for _ in range(200):
        data = bytearray(DOCX_FILE + ODT_FILE)
        for _ in range(8):
            data[chance.randrange(4, len(data))] = chance.randrange(256)
        path = tmp_path / "a"
        path.write_bytes(data)
        assert sniff(path, "").media_type.startswith("application/")
