"""What a model is given of a thread."""

from typing import Final

from actors.limits.units import KIB

CONTEXT_TOKENS: Final = 8_000
"""By default: fits every model in use, and leaves room for its answer."""
CONTEXT_TOKENS_MAX: Final = 1_000_000
"""The largest windows on offer."""
CONTEXT_MESSAGES: Final = 10_000
"""Looked at for one context: 0.3 s of a reader's time."""
CONTEXT_FILES: Final = 100
"""Of a thread, named in a context: a line of 40 tokens each."""
CONTEXT_BYTES: Final = 512 * KIB
"""Read for any context: the largest message fits."""
CONTEXT_BYTES_PER_TOKEN: Final = 64
"""Read besides for each token that was asked for. Text has 1 to 8; the rest is for blocks that hold little text."""
CONTEXT_STEP: Final = 8
"""Messages in the first step back; each step doubles it, as far as `CONTEXT_STEP_MAX`."""
CONTEXT_STEP_MAX: Final = 128
"""The largest step back: little is read that the budget has no room for."""
PROMPT_NAME_CHARS: Final = 64
"""Of the name of an author in the formats of models: what their APIs take."""
