"""Encrypted files: AES-256-GCM in pieces, by a key of its own for each file.

    magic 8 | flags 1 | key id 4 | salt 32 | pieces of 1 MiB, each with its tag of 16 bytes

The key of the file is HKDF-SHA256 of the operator's key and the salt. A piece's nonce is its number and whether it is
the last: pieces cannot be exchanged, and a file that was cut off is noticed. All pieces authenticate the header.
"""

import os
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from cryptography.exceptions import InvalidTag

from storage.backups.keys import SealingKey
from storage.database import DatabaseProblem

MAGIC = b"XPSEAL1\n"
PIECE = 1 << 20
TAG = 16
HEADER = len(MAGIC) + 1 + 4 + 32
COMPRESSED = 1


def seal(source: IO[bytes], target: IO[bytes], key: SealingKey, *, compress: bool) -> None:
    salt = os.urandom(32)
    header = MAGIC + bytes([COMPRESSED if compress else 0]) + key.id + salt
    target.write(header)
    cipher = key.of_file(salt)
    pieces = _read(source)
    for number, (piece, is_last) in enumerate(_marked(_even(_deflated(pieces) if compress else pieces))):
        target.write(cipher.encrypt(_nonce(number, is_last), piece, header))


def sealed_size(size: int) -> int:
    """Of a file that is sealed without compression."""
    return HEADER + size + TAG * max(1, -(-size // PIECE))


def is_sealed(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def key_id(header: bytes) -> bytes | None:
    """Of the key that sealed a file, by its first bytes; None where it is not a sealed one."""
    if len(header) < HEADER or not header.startswith(MAGIC):
        return None
    return header[len(MAGIC) + 1 : len(MAGIC) + 5]


def unsealed(source: IO[bytes], keys: Iterable[SealingKey], *, named: str) -> Iterator[bytes]:
    """The content in pieces, each authenticated before it is passed on. Raises `DatabaseProblem`."""
    header = source.read(HEADER)
    wanted = key_id(header)
    if wanted is None:
        raise DatabaseProblem(f"{named}: this is not a sealed file, or it was cut off in its header.")
    pieces = _opened(source, header, _key_of(wanted, keys, named), named)
    yield from _inflated(pieces, named) if header[len(MAGIC)] & COMPRESSED else pieces


def _key_of(wanted: bytes, keys: Iterable[SealingKey], named: str) -> SealingKey:
    known = {key.id: key for key in keys}
    if wanted in known:
        return known[wanted]
    have = f"BACKUP_KEY has {', '.join(each.hex() for each in known)}" if known else "BACKUP_KEY is not set"
    raise DatabaseProblem(
        f"{named}: it was encrypted with the key {wanted.hex()}, and {have}. Set BACKUP_KEY to the key of that time; "
        "several are joined by commas, the present one first."
    )


def _opened(source: IO[bytes], header: bytes, key: SealingKey, named: str) -> Iterator[bytes]:
    cipher = key.of_file(header[-32:])
    for number, (piece, is_last) in enumerate(_marked(_even(_read(source), PIECE + TAG))):
        try:
            yield cipher.decrypt(_nonce(number, is_last), piece, header)
        except (InvalidTag, ValueError):
            where = HEADER + number * (PIECE + TAG)
            raise DatabaseProblem(
                f"{named}: it is damaged or cut off (from byte {where:,} on); use another backup."
            ) from None


def _nonce(number: int, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([is_last])


def _read(source: IO[bytes]) -> Iterator[bytes]:
    while piece := source.read(PIECE):
        yield piece


def _even(pieces: Iterable[bytes], size: int = PIECE) -> Iterator[bytes]:
    """The same bytes in pieces of this size; the last is shorter, and there is at least one."""
    waiting = bytearray()
    for piece in pieces:
        waiting += piece
        while len(waiting) > size:
            yield bytes(waiting[:size])
            del waiting[:size]
    yield bytes(waiting)


def _marked(pieces: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Each with whether it is the last."""
    piece = next(pieces)
    for following in pieces:
        yield piece, False
        piece = following
    yield piece, True


def _deflated(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Fast: pages of a database shrink to a third, and the disk is slower than this."""
    packer = zlib.compressobj(1)
    for piece in pieces:
        yield packer.compress(piece)
    yield packer.flush()


def _inflated(pieces: Iterable[bytes], named: str) -> Iterator[bytes]:
    unpacker = zlib.decompressobj()
    try:
        for piece in pieces:
            left = piece
            while left:  # a piece at a time: what was packed well is many times as long
                yield unpacker.decompress(left, PIECE)
                left = unpacker.unconsumed_tail
    except zlib.error as error:
        raise DatabaseProblem(f"{named}: it cannot be decompressed ({error}); use another backup.") from error
    if not unpacker.eof:
        raise DatabaseProblem(f"{named}: its compressed content ends early; use another backup.")
