"""A segment: the pages of the database that changed between two moments, as they are at the second one.

In a segment, packed as a whole, stand a line of JSON, the pages in the order that it names, and the SHA-256 of both.
It is sealed where there is a key, else only compressed. A lineage is a run of segments numbered from 1, without a gap:
each takes the database from the state of the one before to its own.
"""

import hashlib
import itertools
import json
import os
import re
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from actors import limits
from storage.backups.keys import SealingKey
from storage.backups.sealing import PIECE, is_sealed, seal, unsealed
from storage.database import DatabaseProblem
from storage.private_files import private

_NAME = re.compile(r"([0-9a-f]{16})-(\d{9})-(\d{13})\.xps", re.ASCII)
MAGIC = b"XPPACK1\n"
"""Of what is compressed and not sealed."""
_DIGEST = 32


@dataclass(frozen=True, slots=True)
class Segment:
    """As its name says."""

    lineage: str
    number: int
    at: int
    """Milliseconds since 1970: all that was committed before is in it, or in those before it."""
    size: int = 0
    """Bytes on the shelf."""

    @property
    def name(self) -> str:
        return f"{self.lineage}-{self.number:09d}-{self.at:013d}.xps"


def segment_of(name: str, size: int = 0) -> Segment | None:
    """None where the name is none of a segment."""
    match = _NAME.fullmatch(name)
    return None if match is None else Segment(match[1], int(match[2]), int(match[3]), size)


@dataclass(frozen=True, slots=True)
class Content:
    lineage: str
    number: int
    at: int
    page_size: int
    length: int
    """Pages of the whole database."""
    numbers: tuple[int, ...]
    """Of the pages that follow."""


def write(
    target: IO[bytes], content: Content, pages: Iterable[bytes], keys: tuple[SealingKey, ...], work: Path
) -> None:
    """`work`: a folder for what is too long for memory."""
    with _scratch(work) as plain:
        digest = hashlib.sha256()
        for piece in itertools.chain([json.dumps(asdict(content)).encode() + b"\n"], pages):
            digest.update(piece)
            plain.write(piece)
        plain.write(digest.digest())
        plain.seek(0)
        pack(plain, target, keys)


def pack(plain: IO[bytes], target: IO[bytes], keys: tuple[SealingKey, ...]) -> None:
    if keys:
        seal(plain, target, keys[0], compress=True)
        return
    packer = zlib.compressobj(1)
    target.write(MAGIC)
    while piece := plain.read(PIECE):
        target.write(packer.compress(piece))
    target.write(packer.flush())


def unpacked(source: Path, keys: tuple[SealingKey, ...], *, named: str) -> Iterator[bytes]:
    """In pieces. Raises `DatabaseProblem`."""
    with source.open("rb") as file:
        yield from unsealed(file, keys, named=named) if is_sealed(source) else _inflated(file, named)


def _inflated(file: IO[bytes], named: str) -> Iterator[bytes]:
    unpacker = zlib.decompressobj()
    if file.read(len(MAGIC)) != MAGIC:
        raise DatabaseProblem(f"{named}: it is damaged or cut off at its beginning.")
    try:
        while piece := file.read(PIECE):
            while piece:
                yield unpacker.decompress(piece, PIECE)
                piece = unpacker.unconsumed_tail
    except zlib.error as error:
        raise DatabaseProblem(f"{named}: it is damaged ({error}).") from error
    if not unpacker.eof:
        raise DatabaseProblem(f"{named}: it is cut off.")


def apply(source: Path, expected: Segment, keys: tuple[SealingKey, ...], database: Path) -> None:
    """Bring a database from the state before to that of the segment. All of it is verified before a page is written.
    Raises `DatabaseProblem`."""
    with _scratch(database.parent) as plain:
        _verify(unpacked(source, keys, named=expected.name), plain, expected.name)
        content = _content(plain, expected)
        with open(database, "r+b", opener=private) as target:
            for number in content.numbers:
                os.pwrite(target.fileno(), plain.read(content.page_size), (number - 1) * content.page_size)
            target.truncate(content.length * content.page_size)


def _verify(pieces: Iterator[bytes], plain: IO[bytes], named: str) -> None:
    digest, tail = hashlib.sha256(), b""
    for piece in pieces:
        held = tail + piece
        body, tail = held[:-_DIGEST], held[-_DIGEST:]
        digest.update(body)
        plain.write(body)
    if digest.digest() != tail:
        raise DatabaseProblem(f"{named}: it is damaged: its content has another hash.")
    plain.seek(0)


def _content(plain: IO[bytes], expected: Segment) -> Content:
    found = json.loads(plain.readline())
    content = Content(**found | {"numbers": tuple(found["numbers"])})
    if (content.lineage, content.number, content.at) != (expected.lineage, expected.number, expected.at):
        raise DatabaseProblem(f"{expected.name}: it is another segment, number {content.number} of {content.lineage}.")
    return content


def _scratch(work: Path) -> "tempfile.SpooledTemporaryFile[bytes]":
    return tempfile.SpooledTemporaryFile(limits.SEGMENT_MEMORY_BYTES, dir=str(work))
