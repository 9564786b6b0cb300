"""Blocks of a message, and the inputs in them."""

from typing import Final

from actors.limits.units import KIB

BLOCKS: Final = 50
"""As the block format has it."""
BLOCKS_BYTES: Final = 256 * KIB
"""50 blocks of rich text fit; more would make one event dominate every subscriber's outbox."""
PATTERN_CHARS: Final = 255
PATTERN_PLACES: Final = 100
"""Of the pattern of an input, repetitions counted: 3000 characters are matched in 30 ms at the most."""
OPTION_VALUE_CHARS: Final = 150
"""As the block format has it."""
INPUT_CHARS: Final = 3000
"""Of a text that is filled in, where its input names no less."""
