"""The memory of a thread."""

from typing import Final

from actors.limits.units import KIB

MEMORY_BYTES: Final = 64 * KIB
"""Facts, summary and pins of a conversation."""
MEMORY_PINS: Final = 50
"""Their messages are read for every context."""
MEMORY_FACT_ID_CHARS: Final = 64
"""Ids of applications; a UUID has 36."""
