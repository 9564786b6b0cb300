"""What a file is: by its content, held against its name and what was declared.

A polyglot is a file that two readers take for two types (an image whose comment is HTML, a picture with a zip behind
it).
Every reading is found, and the most dangerous one counts: such a file is never shown inline.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import filetype
import orjson

from actors import limits
from server.files.archives import zip_directory
from server.files.types import markup
from server.files.types.text_encoding import Text, decode_text
from server.files.types.type_names import (
    BINARY,
    TEXT,
    agree,
    canonical,
    is_textual,
    type_of_name,
)
from server.files.types.zip_kinds import ZIP, kind_of_zip

PDF = "application/pdf"
PDF_WITHIN = 1024
"""Readers find the header of a PDF anywhere within its first KiB."""
WINDOWS_PROGRAM = "application/vnd.microsoft.portable-executable"
PROGRAM = "application/x-executable"
SCRIPT = "text/javascript"

EXECUTABLE = frozenset(
    {WINDOWS_PROGRAM, PROGRAM, "application/x-mach-binary", "application/java-archive", "application/x-ms-shortcut"}
    | {"application/vnd.android.package-archive", "application/wasm", "application/x-java-class", "text/x-script"}
)
"""Programs, by content."""
PROGRAM_SIGNATURES = (
    (b"MZ", WINDOWS_PROGRAM),
    (b"\x7fELF", PROGRAM),
    (b"\xfe\xed\xfa\xce", "application/x-mach-binary"),
    (b"\xfe\xed\xfa\xcf", "application/x-mach-binary"),
    (b"\xce\xfa\xed\xfe", "application/x-mach-binary"),
    (b"\xcf\xfa\xed\xfe", "application/x-mach-binary"),
    (b"\xca\xfe\xba\xbe", "application/x-java-class"),
    (b"L\x00\x00\x00\x01\x14\x02\x00", "application/x-ms-shortcut"),
    (b"\x00asm", "application/wasm"),
)
JSON_START = re.compile(r'\s*(?:\{\s*(?:"|\})|\[\s*(?:[\[{"\]\d-]|true|false|null))')
GIF_AS_SCRIPT = re.compile(rb"GIF8[79]a(?:/\*|\s*=|\s*\(|//)")
"""The size of the picture stands where script would have a comment or an assignment."""
SEPARATED = {",": "text/csv", ";": "text/csv", "\t": "text/tab-separated-values"}


@dataclass(frozen=True, slots=True)
class Sniffed:
    media_type: str
    """What a reader that trusts the content takes it for. Where it has several readings, the one of its beginning."""
    trusted: bool
    """One reading, which neither the name nor the declared type contradicts: only such a file may be shown inline."""
    warnings: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    """The other types that a reader may take it for."""
    charset: str | None = None
    """Of text."""

    @property
    def readings(self) -> tuple[str, ...]:
        return (self.media_type, *self.also)

    @property
    def is_executable(self) -> bool:
        return not EXECUTABLE.isdisjoint(self.readings)


def sniff(path: Path, name: str, declared: str | None = None) -> Sniffed:
    """The type of a file. Reads its two ends, and the directory of a zip: blocks for as long as that takes.

    Raises `OSError` where the file cannot be read.
    """
    with path.open("rb") as file:
        return sniff_file(file, name, declared)


def sniff_file(file: BinaryIO, name: str, declared: str | None = None) -> Sniffed:
    """The same of an open file, wherever it stands."""
    size = file.seek(0, 2)
    file.seek(0)
    head = file.read(limits.TYPE_HEAD_BYTES)
    text = decode_text(head, whole=len(head) == size)
    found = _by_content(head, text, file, name, declared)
    also = tuple(sorted(_other_readings(found, head, text, file, size) - {found}))
    warnings = [*_disagreements(found, name, declared), *(f"it can also be read as {other}" for other in also)]
    return Sniffed(found, not warnings, tuple(warnings), also, text.charset if text and is_textual(found) else None)


def _by_content(head: bytes, text: Text | None, file: BinaryIO, name: str, declared: str | None) -> str:
    if head.startswith(b"%PDF-"):
        return PDF
    if text is not None:
        return _kind_of_text(head, text.text, name, declared)
    for signature, program in PROGRAM_SIGNATURES:
        if head.startswith(signature):
            return program
    if head.startswith((zip_directory.LOCAL_SIGNATURE, zip_directory.END_SIGNATURE)):
        return kind_of_zip(file)
    guessed = filetype.guess(head)
    if guessed is not None:
        return canonical(guessed.mime) or BINARY
    return PDF if _has_pdf_header(head) else BINARY


def _kind_of_text(head: bytes, text: str, name: str, declared: str | None) -> str:
    """By its beginning, and where that says nothing, by its name: text may be any code."""
    seen = markup.markup_type(text)
    if seen is not None:
        return seen
    if head.startswith(b"{\\rtf"):
        return "application/rtf"
    by_name = type_of_name(name) or canonical(declared)
    if text.startswith("#!") and not by_name.startswith("text/"):
        return "text/x-script"
    if is_textual(by_name) or by_name in {markup.HTML, markup.SVG, markup.XML}:
        return by_name
    return _structured(text) or TEXT


def _structured(text: str) -> str | None:
    if JSON_START.match(text) and (len(text) >= limits.TYPE_HEAD_BYTES // 4 or _is_json(text)):
        return "application/json"
    return next((kind for separator, kind in SEPARATED.items() if _is_table(text, separator)), None)


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:  # too deep, too
        return False
    return True


def _is_table(text: str, separator: str) -> bool:
    """At least three lines, each with the same two or more separators: sentences with commas are no table."""
    lines = text.split("\n", 20)[:20]
    counts = {line.count(separator) for line in lines[:-1] if line.strip()}
    return len(lines) > 3 and len(counts) == 1 and min(counts) >= 2


def _other_readings(found: str, head: bytes, text: Text | None, file: BinaryIO, size: int) -> set[str]:
    """What else a reader could take the file for."""
    others: set[str] = set()
    if _has_pdf_header(head):
        others.add(PDF)
    if (text is None or found == PDF) and markup.has_active_markup(_searched_for_markup(found, head, file, size)):
        others.add(markup.HTML)
    if GIF_AS_SCRIPT.match(head):
        others |= {"image/gif", SCRIPT}
    if not _is_of_zip(found) and zip_directory.is_zip(file):
        others.add(kind_of_zip(file))
    return others


def _searched_for_markup(found: str, head: bytes, file: BinaryIO, size: int) -> bytes:
    """Both ends of pictures, sound and video: their comments and what was appended. Of others the beginning alone, as
    far as a browser would look: documents and archives may well speak of HTML further on."""
    if not found.startswith(("image/", "audio/", "video/")):
        return head[:PDF_WITHIN]
    file.seek(max(0, size - limits.TYPE_TAIL_BYTES))
    return head + file.read(limits.TYPE_TAIL_BYTES)


def _has_pdf_header(head: bytes) -> bool:
    return b"%PDF-" in head[:PDF_WITHIN]


def _is_of_zip(media_type: str) -> bool:
    return (
        media_type == ZIP
        or "zip" in media_type
        or media_type.startswith(("application/vnd.openxmlformats", "application/vnd.oasis", "application/vnd.ms-"))
        or media_type in {"application/java-archive", "application/vnd.android.package-archive"}
    )


def _disagreements(found: str, name: str, declared: str | None) -> list[str]:
    said = (("the name", type_of_name(name)), ("the declared type", canonical(declared)))
    return [f"{who} says {other}, its content {found}" for who, other in said if not agree(other, found)]
