"""Text that is normalised, parsed as Markdown, or rendered."""

from typing import Final

from actors.limits.units import KIB

MARKS_IN_A_ROW: Final = 30
"""Of a text that is normalised: as Unicode's Stream-Safe Text Format has it. What follows counts for nothing."""
MARKDOWN_CHARS: Final = 12_000
"""Of a text that is parsed; a longer one is looked through line by line."""
MARKDOWN_SIGNS: Final = 4_000
"""In it, each 1 µs of parsing; lines and brackets count ten times."""
MARKDOWN_CELLS: Final = 5_000
"""Of tables in a text that is parsed: 201 rows of 20 are 4,020. A short row is filled up to the width of the first."""
RENDERED_CHARS: Final = 128 * KIB
"""Of one message as Markdown, for HTML: the longest content and its blocks. What follows is left out."""
RENDER_SECONDS: Final = 0.1
"""For the HTML of one message; what is not parsed by then is shown as it was written."""
RENDER_PAGE_SECONDS: Final = 0.3
"""For that of a page of messages."""
