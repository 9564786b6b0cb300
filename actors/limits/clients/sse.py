"""Server-sent events."""

from typing import Final

FEED_EVENTS: Final = 5_000
"""That an SSE stream keeps while its replay is read."""
SSE_HEARTBEAT_SECONDS: Final = 20.0
"""Between two comments in an idle stream: proxies cut connections that are silent for 30 to 60 s."""
SSE_THREADS: Final = 128
"""Of one stream: as many as a connection has channels."""
SSE_RETRY_MS: Final = 1_000
"""What a browser waits before it reconnects."""
SSE_PADDING_BYTES: Final = 2048
"""Some proxies hold a response back until they have seen this much of it; `?padding=true` sends it first."""
SSE_GOODBYE_SECONDS: Final = 2.0
"""How long a peer has to take what is on its way to it once its stream has ended."""
