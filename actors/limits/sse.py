"""Server-sent events."""

from typing import Final

FEED_EVENTS: Final = 5_000
"""That an SSE stream keeps while its replay is read."""
SSE_HEARTBEAT_SECONDS: Final = 20.0
SSE_THREADS: Final = 128
SSE_RETRY_MS: Final = 1_000
