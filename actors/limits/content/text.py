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
BLOCK_TEXT_LINES: Final = 500
"""Of the blocks of one message; 50 blocks that people read have fewer."""
BLOCK_TEXT_COMPARED_CHARS: Final = 4_000
"""Of content in which a line of the blocks is looked for; in a longer one, only among its lines. Otherwise 500 lines
would be looked for in 64 KB each."""
MARKDOWN_DECLARATIONS: Final = 20
"""Of HTML (comments and the like) in a text that is parsed: each is looked for to the end of its paragraph."""
