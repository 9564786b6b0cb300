"""What a worker may use for an export, and how much of it is shown."""

from typing import Final

from server.previews.limits import MIB, WorkerLimits

WORKER: Final = WorkerLimits(
    memory=1536 * MIB, counts_mapped=False, cpu_seconds=30, seconds=60.0, file_bytes=64 * MIB, open_files=256
)
"""The engine that draws charts maps 64 GiB and writes to 0.6 GiB of it at most, so what is written counts."""
PIXELS: Final = 16_000_000
"""Of a PNG: four bytes each, in memory."""
SVG_BYTES: Final = 8 * MIB
"""A chart of 50,000 marks; a document has several."""
MARKDOWN_SECONDS: Final = 6.0
"""For all Markdown of a document; what is not parsed by then is shown as it was written."""
SCRIPTS: Final = 20
"""That are named as missing; a text of more is a list of all characters."""
CMAP_BYTES: Final = 4 * MIB
"""Of a font's table of characters: the largest of CJK fonts have a tenth of that."""
FACES: Final = 64
"""Of a collection of fonts."""
