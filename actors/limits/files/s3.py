"""The blob store in S3."""

from typing import Final

from actors.limits.units import MIB

S3_PART_BYTES: Final = 5 * MIB
"""The least that S3 takes: 10,000 parts are 48 GiB."""
S3_PARTS_AT_ONCE: Final = 1
"""Of one upload, while the next is read: 10 MiB of memory. Two took 30 MiB, and were no faster."""
S3_UPLOADS_AT_ONCE: Final = 2
"""Of those large enough for parts: others wait their turn. More would only share the bandwidth."""
S3_SMALL_UPLOADS_AT_ONCE: Final = 8
"""Of those sent in one request, held in memory as a whole."""
S3_CONNECT_SECONDS: Final = 5.0
"""A store that is there answers in milliseconds."""
S3_SILENT_SECONDS: Final = 30.0
"""Without a byte of an answer a request to S3 fails, and is repeated. A part of 5 MiB goes out in it at 1.4 Mbit/s."""
S3_RETRIES: Final = 4
"""Of one request, with growing pauses and jitter: a restart of MinIO or a throttled moment passes within them."""
S3_RETRY_SECONDS: Final = 60.0
"""After it no new try begins."""
S3_RETRY_PAUSE_SECONDS: Final = 0.1
"""Before the first retry, then up to twice as long each time, at most 5 s."""
S3_CLOCK_SECONDS: Final = 60.0
"""How far the clocks of server and store may be apart where times are compared; beyond 15 minutes S3 refuses all."""
S3_SIGNED_SECONDS: Final = 7 * 24 * 3600
"""The longest that signature version 4 allows for a URL."""
S3_LEAVE_SECONDS: Final = 0.1
"""When the process ends: obstore's OS threads hold Python objects for a moment after an answer, and one that finds
the interpreter gone aborts the process (one in three that ended right after a failed request)."""
S3_ERROR_CHARS: Final = 300
"""Of an error of the store, in one of ours: the rest repeats the request."""
