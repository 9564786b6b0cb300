"""Text of office documents (OOXML, OpenDocument) and the first sheet of workbooks, without an office suite.

Each part is unpacked up to a limit, and read by expat. A document type is refused: no part has one, and entities that
multiply need it.
"""

import re
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO
from xml.parsers import expat

from server.files.archives import zip_directory
from server.previews.limits import (
    OFFICE_PARTS,
    SHARED_STRINGS,
    TABLE_COLUMNS,
    TABLE_ROWS,
    TEXT_CHARS,
    XML_BYTES,
    XML_DEPTH,
    XML_ENTRIES,
)
from server.previews.preview import PreviewFailed

TEXT_PART = re.compile(r"word/document\.xml|word/(?:foot|end)notes\.xml|ppt/slides/slide\d+\.xml|content\.xml")
STRINGS_PART = "xl/sharedStrings.xml"
SHEET_PART = re.compile(r"xl/worksheets/sheet\d+\.xml")
TEXT_TAGS = frozenset({"t", "p", "h", "span", "a"})
"""Of OOXML (`t`) and of OpenDocument."""
LINE_TAGS = frozenset({"p", "h", "si", "tr", "row"})
CELL = re.compile(r"([A-Z]{1,3})[0-9]+")


@dataclass(slots=True)
class Document:
    text: str | None = None
    rows: list[list[str]] = field(default_factory=list)
    """Of the first sheet."""


class _Enough(Exception):
    """As much was read as is kept."""


def read(path: Path) -> Document:
    """What can be read; empty for the older binary formats. Raises `PreviewFailed` for XML that is an attack."""
    with path.open("rb") as file:
        try:
            parts = _parts(file)
            return _read(file, parts)
        except (zip_directory.NotAZip, zlib.error):
            return Document()


def _read(file: BinaryIO, parts: dict[str, zip_directory.Entry]) -> Document:
    if STRINGS_PART in parts or any(map(SHEET_PART.fullmatch, parts)):
        return _workbook(file, parts)
    text = _Text()
    for name in sorted(filter(TEXT_PART.fullmatch, parts), key=_in_order):
        if not _parse(_part(file, parts[name]), text):
            break
    return Document("".join(text.found).strip()[:TEXT_CHARS] or None)


def _workbook(file: BinaryIO, parts: dict[str, zip_directory.Entry]) -> Document:
    strings = _Strings()
    if STRINGS_PART in parts:
        _parse(_part(file, parts[STRINGS_PART]), strings)
    sheets = sorted(filter(SHEET_PART.fullmatch, parts), key=_in_order)
    sheet = _Sheet(strings.found)
    if sheets:
        _parse(_part(file, parts[sheets[0]]), sheet)
    text = "\n".join(strings.found) or "\n".join("\t".join(row) for row in sheet.rows)
    return Document(text.strip()[:TEXT_CHARS] or None, sheet.rows)


def _parts(file: BinaryIO) -> dict[str, zip_directory.Entry]:
    found: dict[str, zip_directory.Entry] = {}
    for number, entry in enumerate(zip_directory.entries(file)):
        if number >= XML_ENTRIES or len(found) >= OFFICE_PARTS:
            break
        if entry.is_readable and (entry.name == STRINGS_PART or TEXT_PART.fullmatch(entry.name) or _is_sheet(entry)):
            found[entry.name] = entry
    return found


def _is_sheet(entry: zip_directory.Entry) -> bool:
    return SHEET_PART.fullmatch(entry.name) is not None


def _part(file: BinaryIO, entry: zip_directory.Entry) -> bytes:
    return zip_directory.unpack(file, entry, XML_BYTES)


def _in_order(name: str) -> tuple[int, str]:
    digits = re.search(r"\d+", name)
    return (int(digits[0][:9]) if digits else 0, name)


class _Reader:
    """What expat calls; tags without their namespace."""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        raise NotImplementedError

    def end(self, tag: str) -> None:
        raise NotImplementedError

    def characters(self, data: str) -> None:
        raise NotImplementedError


def _parse(data: bytes, reader: _Reader) -> bool:
    """Whether there may be more to read. What comes before a damaged place counts."""
    parser = expat.ParserCreate()
    depth = _Depth()
    parser.StartDoctypeDeclHandler = _refuse_document_type

    def start(tag: str, attributes: dict[str, str]) -> None:
        depth.enter()
        reader.start(tag.rpartition(":")[2], attributes)

    def end(tag: str) -> None:
        depth.leave()
        reader.end(tag.rpartition(":")[2])

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = reader.characters
    try:
        parser.Parse(data, True)
    except expat.ExpatError:
        return True
    except _Enough:
        return False
    return True


class _Depth:
    def __init__(self) -> None:
        self._depth = 0

    def enter(self) -> None:
        self._depth += 1
        if self._depth > XML_DEPTH:
            raise PreviewFailed(f"its XML is nested more than {XML_DEPTH} deep")

    def leave(self) -> None:
        self._depth -= 1


def _refuse_document_type(*_: object) -> None:
    raise PreviewFailed("its XML has a document type, which office documents never have")


class _Text(_Reader):
    def __init__(self) -> None:
        self.found: list[str] = []
        self._open: list[str] = []
        self._left = TEXT_CHARS

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._open.append(tag)
        if tag in {"tab", "br"}:
            self._add("\t" if tag == "tab" else "\n")

    def end(self, tag: str) -> None:
        self._open.pop()
        if tag in LINE_TAGS:
            self._add("\n")

    def characters(self, data: str) -> None:
        if self._open[-1] in TEXT_TAGS:
            self._add(data)

    def _add(self, data: str) -> None:
        self.found.append(data)
        self._left -= len(data)
        if self._left <= 0:
            raise _Enough


class _Strings(_Reader):
    """The table of strings that the cells of a workbook refer to."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._parts: list[str] = []
        self._reads = False
        self._left = 4 * TEXT_CHARS

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._reads = tag == "t"
        if tag == "si":
            self._parts = []

    def end(self, tag: str) -> None:
        self._reads = False
        if tag == "si":
            self.found.append("".join(self._parts))
        if len(self.found) >= SHARED_STRINGS:
            raise _Enough

    def characters(self, data: str) -> None:
        if not self._reads:
            return
        self._parts.append(data)
        self._left -= len(data)
        if self._left <= 0:
            raise _Enough


class _Sheet(_Reader):
    def __init__(self, strings: list[str]) -> None:
        self.rows: list[list[str]] = []
        self._strings = strings
        self._kind = ""
        self._column = 0
        self._value: list[str] = []
        self._reads = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._reads = tag in {"v", "t"}
        if tag == "row":
            self._start_row()
        elif tag == "c":
            self._kind, self._value = attributes.get("t", ""), []
            self._column = _column(attributes.get("r", ""), len(self.rows[-1]) if self.rows else 0)

    def end(self, tag: str) -> None:
        self._reads = False
        if tag == "c" and self.rows and self._column < TABLE_COLUMNS:
            row = self.rows[-1]
            row.extend([""] * (self._column - len(row)))
            row.append(self._shown())

    def characters(self, data: str) -> None:
        if self._reads:
            self._value.append(data)

    def _start_row(self) -> None:
        if len(self.rows) == TABLE_ROWS:
            raise _Enough
        self.rows.append([])

    def _shown(self) -> str:
        value = "".join(self._value)
        if self._kind != "s":
            return value
        number = int(value) if value.isascii() and value.isdigit() and len(value) < 9 else len(self._strings)
        return self._strings[number] if number < len(self._strings) else ""


def _column(reference: str, following: int) -> int:
    """`C7` → 2; cells without a reference follow each other."""
    found = CELL.fullmatch(reference)
    if found is None:
        return following
    number = 0
    for letter in found[1]:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1
