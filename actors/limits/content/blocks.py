"""Blocks of a message, and the inputs in them."""

from typing import Final

from actors.limits.clients.requests import JSON_DEPTH
from actors.limits.units import KIB

BLOCKS: Final = 50
"""As the block format has it."""
BLOCKS_BYTES: Final = 256 * KIB
"""50 blocks of rich text fit; more would make one event dominate every subscriber's outbox."""
PATTERN_CHARS: Final = 255
"""A longer one is a list of words, which a select shows."""
PATTERN_PLACES: Final = 100
"""Of the pattern of an input, repetitions counted: 3000 characters are matched in 30 ms at the most."""
OPTION_VALUE_CHARS: Final = 150
"""As the block format has it."""
INPUT_CHARS: Final = 3000
"""Of a text that is filled in, where its input names no less."""
BLOCK_DEPTH: Final = JSON_DEPTH - 1
"""Of a block: the list around it is a level too."""
FAULT_VALUE_CHARS: Final = 40
"""Of a wrong value that a sentence about it quotes."""
FITTING_ROUNDS: Final = 5
"""Cutting a cell may bring a table below its budget, and so on: what is not valid after so many never is."""
MARKDOWN_TABLE_CELLS: Final = 4_020
"""Of one table: 201 rows of 20."""
MARKDOWN_BLOCKS: Final = 200
"""Of one message as Markdown, with those within others."""
PATTERN_STATES: Final = 1_000
"""Sets of places in a pattern that are kept with what follows them."""
