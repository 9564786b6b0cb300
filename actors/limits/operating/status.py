"""The status of the server."""

from typing import Final

STATUS_SAMPLE_SECONDS: Final = 10.0
"""Between two samples of what is counted: one takes a third of a millisecond."""
STATUS_SAMPLES: Final = 361
"""An hour of them, and the one before it."""
STATUS_SLOWEST: Final = 10
"""Operations that are shown: the first of them is where to look."""
STATUS_LEAST: Final = 5
"""Invocations from which on an operation is among the slowest: one slow start says nothing."""
CALL_SECONDS: Final = 15.0
"""Until a command gives up on the running server: longer than any operation of administrators takes."""
TOP_SAMPLES: Final = 60
"""Values that `xp top` draws: ten minutes, as wide as a terminal shows them."""
