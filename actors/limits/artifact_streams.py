"""Texts that grow in artifacts while they are written."""

from typing import Final

ARTIFACT_STREAMS: Final = 8
"""Open on one artifact: each is at another text, and sent to every viewer of the thread."""
ARTIFACT_STREAMS_ERASED: Final = 50
"""In one step, when what a user has written is erased."""
