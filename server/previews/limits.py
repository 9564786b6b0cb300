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
"""Pictures and texts of one file: four pages in three sizes, and its text."""
METADATA_ENTRIES: Final = 32
"""Of one file: a photo has about ten that are shown."""
COMMAND_OUTPUT_BYTES: Final = MIB
"""What a converter or ffprobe says of a file."""
XML_ENTRIES: Final = 5_000
"""Parts of an office document that are looked through for its slides and sheets."""
XML_DEPTH: Final = 256
"""Levels of one part; documents have some thirty."""
SHARED_STRINGS: Final = 100_000
"""Different texts in the cells of one workbook."""
SEPARATOR_LINES: Final = 10
"""Of a table as text, from which its separator is known."""
PDF_SCALE: Final = 4.0
"""At most: a stamp of a page is not drawn as a poster."""
NICENESS: Final = 10
"""Of worker processes: messages go before previews."""
WORKERS: Final = 2
"""Unless a setting says otherwise: a core is left for messages."""
JOBS_WAITING: Final = 1_000
"""Jobs that wait for a worker; what is beyond them is tried again later by the one who asked."""

# Archives that are looked into by a worker
UNPACKED_PIECE_BYTES: Final = 64 * KIB
"""Taken at once from a decompressor."""
PACKED_PIECE_BYTES: Final = 4 * KIB
"""Fed at once to a decompressor: gzip makes up to 4 MB of it, xz 28 MB, which pass by piece by piece."""
XZ_BYTES: Final = 128 * MIB
"""For the dictionary of a stream, which its header chooses; `xz -9` needs 65 MiB."""


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """What one worker process may use. Enforced by the kernel, but for `seconds` and `jobs`."""

    memory: int = 1024 * MIB
    """Bytes of address space: libraries take a third, the largest picture the rest."""
    counts_mapped: bool = True
    """False: `memory` is what a process may write to, for an engine that maps far more than it uses (Linux)."""
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
