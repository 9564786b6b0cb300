"""Texts that grow in artifacts while they are written."""

from typing import Final

ARTIFACT_STREAMS: Final = 8
"""Open on one artifact: each is at another text, and sent to every viewer of the thread."""
ARTIFACT_STREAMS_KEPT: Final = 32
"""Interrupted on one artifact, whose text no version has: of older ones it goes when another stream is begun."""
ARTIFACT_PIECE_CHARS: Final = 4_096
"""Of a row, to which short pieces are added: a text has a hundred rows at most, and adding copies a page."""
ARTIFACT_STREAMS_ERASED: Final = 50
"""In one step, when what a user has written is erased."""
