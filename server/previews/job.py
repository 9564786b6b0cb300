"""One file that a worker makes a preview of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Tools:
    """Programs of the platform, where they are there."""

    convert: tuple[str, ...] = ()
    """Makes a PDF: arguments with `{input}` and `{output_dir}`."""
    ffmpeg: str | None = None
    ffprobe: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Job:
    path: Path
    media_type: str
    into: Path
    """A folder of its own, empty."""
    tools: Tools = Tools()
