"""A preview: small files made of a large one, its text, and what is known of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Output:
    name: str
    """small, medium, large, poster, page-1 and so on (WebP); table (JSON); text (UTF-8)."""
    path: Path
    media_type: str
    size: int
    """Bytes."""
    width: int | None = None
    """Pixels."""
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    outputs: tuple[Output, ...] = ()
    text: str | None = None
    """Extracted, bounded; without control characters but tabs and line ends."""
    metadata: Mapping[str, int | float | str | bool] = field(default_factory=dict)
    """width, height, pages, duration (seconds), frames, columns, … as far as they are known."""
    placeholder: str | None = None
    """A blurhash, or a colour such as `#a0b0c0`."""


class PreviewFailed(Exception):
    """There is no preview of this file. `retryable` where another try may have one: the server was busy, closing, its
    disk full, or a worker was killed from outside."""

    def __init__(self, reason: str, *, retryable: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retryable = retryable
