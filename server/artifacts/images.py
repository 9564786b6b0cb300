"""Pictures that stand in a document: which bytes are one, and how large it is. Pure: nothing is decoded."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

_ENDINGS: Final = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/webp": "webp"}
TYPES: Final = frozenset(_ENDINGS)
"""Of pixels alone: an SVG may hold scripts and addresses."""


@dataclass(frozen=True, slots=True)
class Image:
    media_type: str
    width: int
    """Pixels."""
    height: int
    body: bytes

    @property
    def ending(self) -> str:
        return _ENDINGS[self.media_type]


Images = Mapping[str, Image | str]
"""File → its picture, or why it is not shown."""
NO_IMAGES: Final[Images] = {}


def image_of(body: bytes) -> Image | None:
    """By its first bytes, whatever type it was said to be; None where they are of no type of `TYPES`."""
    for media_type, begins, size in _READERS:
        if begins(body):
            found = size(body)
            return Image(media_type, *found, body) if found is not None and min(found) > 0 else None
    return None


Size = tuple[int, int] | None


def _png(body: bytes) -> Size:
    return _big(body, 16, 4), _big(body, 20, 4)


def _gif(body: bytes) -> Size:
    return _little(body, 6, 2), _little(body, 8, 2)


def _webp(body: bytes) -> Size:
    match body[12:16]:
        case b"VP8X":
            return 1 + _little(body, 24, 3), 1 + _little(body, 27, 3)
        case b"VP8L":
            bits = _little(body, 21, 4)
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        case b"VP8 ":
            return _little(body, 26, 2) & 0x3FFF, _little(body, 28, 2) & 0x3FFF
    return None


def _jpeg(body: bytes) -> Size:
    """Where its frame begins: the segments before it are stepped over."""
    for marker, at in _segments(body):
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return _big(body, at + 5, 2), _big(body, at + 3, 2)
    return None


def _segments(body: bytes) -> Iterator[tuple[int, int]]:
    """(marker, where the length after it stands)."""
    at = 2
    while at + 4 <= len(body) and body[at] == 0xFF:
        marker = body[at + 1]
        yield marker, at + 2
        at += 2 + max(_big(body, at + 2, 2), 2) if marker != 0xFF else 1


def _big(body: bytes, at: int, count: int) -> int:
    return int.from_bytes(body[at : at + count], "big")


def _little(body: bytes, at: int, count: int) -> int:
    return int.from_bytes(body[at : at + count], "little")


_READERS: Final[tuple[tuple[str, Callable[[bytes], bool], Callable[[bytes], Size]], ...]] = (
    ("image/png", lambda body: body.startswith(b"\x89PNG\r\n\x1a\n"), _png),
    ("image/jpeg", lambda body: body.startswith(b"\xff\xd8\xff"), _jpeg),
    ("image/gif", lambda body: body.startswith((b"GIF87a", b"GIF89a")), _gif),
    ("image/webp", lambda body: body.startswith(b"RIFF") and body[8:12] == b"WEBP", _webp),
)
