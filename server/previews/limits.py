"""What a worker may use, and how much of a file becomes its preview."""

from dataclasses import dataclass
from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB

SIZES: Final = {"small": 160, "medium": 480, "large": 1280}
"""Pixels of the longer side: a line in a list, a message, a whole screen."""
PIXELS: Final = 64_000_000
"""Of a picture that is decoded: four bytes each fit into a worker's memory twice. Larger JPEGs are decoded at a part of
their size."""
PIXELS_CLAIMED: Final = 400_000_000
"""Of the header of a JPEG: the largest cameras have 200 million."""
PDF_PAGES: Final = 4
"""As pictures."""
PDF_PAGES_READ: Final = 500
"""For their text."""
TEXT_CHARS: Final = 256 * KIB
"""Of extracted text: a book of 150 pages; it is what is searched."""
TEXT_SHOWN_CHARS: Final = 32 * KIB
"""Of the preview of a text: 500 lines."""
TABLE_ROWS: Final = 100
TABLE_COLUMNS: Final = 50
CELL_CHARS: Final = 200
XML_BYTES: Final = 16 * MIB
"""Unpacked, of one part of an office document."""
OFFICE_PARTS: Final = 200
"""Slides and sheets that are read."""
TAG_CHARS: Final = 200
"""Of a title or artist."""
REPLY_BYTES: Final = 4 * MIB
"""Of a worker's reply: the text takes up to four bytes a character."""
OUTPUTS: Final = 16


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """What one worker process may use. Enforced by the kernel, but for `seconds` and `jobs`."""

    memory: int = 1024 * MIB
    """Bytes of address space: libraries take a third, the largest picture the rest."""
    command_memory: int = 4096 * MIB
    """Of a converter or ffmpeg that a worker starts: office suites map as much before they do anything."""
    cpu_seconds: int = 20
    """For one job."""
    seconds: float = 30.0
    """For one job by the clock; then its process group is killed."""
    file_bytes: int = 64 * MIB
    """Of any file that it writes: the PDF of a long presentation."""
    open_files: int = 128
    jobs: int = 100
    """Then it is replaced: what a library leaks stays small."""
    idle_seconds: float = 60.0
    """Then it ends, and gives its memory back."""
