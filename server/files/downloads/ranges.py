"""Which bytes a `Range` header asks for (RFC 9110, 14). Pure."""

import re
from dataclasses import dataclass

from actors import limits
from actors.errors import RangeNotSatisfiable

_SPEC = re.compile(r"(\d{0,18})-(\d{0,18})")


@dataclass(frozen=True, slots=True, order=True)
class Slice:
    """Bytes from `start` to `end`, exclusive."""

    start: int
    end: int

    @property
    def size(self) -> int:
        return self.end - self.start

    def content_range(self, whole: int) -> str:
        return f"bytes {self.start}-{self.end - 1}/{whole}"


def slices_of(header: str | None, size: int) -> tuple[Slice, ...]:
    """In the order asked for; in order of their start where some overlap or touch, which are then joined.

    Empty: answer the whole content, because nothing else was asked for, in a form that may be ignored, or in so many
    ranges that the whole is the better answer. Raises `RangeNotSatisfiable`.
    """
    unit, _, specs = (header or "").partition("=")
    if unit.strip().lower() != "bytes":
        return ()
    given = [spec.strip() for spec in specs.split(",") if spec.strip()]
    matches = [_SPEC.fullmatch(spec) for spec in given]
    if not given or len(given) > limits.RANGES or not all(map(_is_valid, matches)):
        return ()
    found = [part for match in matches if match and (part := _slice(match[1], match[2], size))]
    if not found:
        if not size and any(match and not match[1] and int(match[2]) for match in matches):
            return ()  # the last bytes of nothing are all of it (14.1.2); no Content-Range can say so
        raise RangeNotSatisfiable(size)
    joined = _joined(found)
    return tuple(found) if len(joined) == len(found) else joined


def _is_valid(match: re.Match[str] | None) -> bool:
    if match is None or not (match[1] or match[2]):
        return False
    return not (match[1] and match[2]) or int(match[1]) <= int(match[2])


def _slice(first: str, last: str, size: int) -> Slice | None:
    if not first:  # the last so many bytes
        count = min(int(last), size)
        return Slice(size - count, size) if count else None
    start = int(first)
    end = min(int(last) + 1, size) if last else size
    return Slice(start, end) if start < size else None


def _joined(slices: list[Slice]) -> tuple[Slice, ...]:
    joined: list[Slice] = []
    for part in sorted(slices):
        if joined and part.start <= joined[-1].end:
            joined[-1] = Slice(joined[-1].start, max(joined[-1].end, part.end))
        else:
            joined.append(part)
    return tuple(joined)


@dataclass(frozen=True, slots=True)
class Span:
    """What a `Content-Range` of an upload says: these bytes come, of so many; `first` None: it only asks how many are
    there."""

    first: int | None
    last: int
    whole: int | None


_CONTENT_RANGE = re.compile(r"bytes (?:(\d{1,18})-(\d{1,18})|(\*))/(?:(\d{1,18})|\*)", re.IGNORECASE)


def span_of(header: str) -> Span | None:
    """None where it cannot be read, or contradicts itself."""
    match = _CONTENT_RANGE.fullmatch(header.strip())
    if match is None:
        return None
    whole = int(match[4]) if match[4] else None
    if match[3]:
        return Span(None, -1, whole)
    first, last = int(match[1]), int(match[2])
    return Span(first, last, whole) if first <= last and (whole is None or last < whole) else None
