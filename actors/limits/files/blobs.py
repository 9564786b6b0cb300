"""The blob store: a folder, and what every store shares."""

from typing import Final

from actors.limits.units import KIB

BLOB_TRIES: Final = 20
"""Times `BLOB_GOING_SECONDS` that bytes are waited for which are being deleted."""
BLOB_GOING_SECONDS: Final = 0.25
"""Deleting a blob takes less than 5 s; an upload of the same bytes waits for it, with this pause between two looks."""
BLOB_GRACE_SECONDS: Final = 24 * 3600
"""A blob that nothing refers to is kept so long: a backup taken before may still name it."""
STORE_LOOK_SECONDS: Final = 60.0
"""Between two probes of the store of files: three requests to S3 each."""
STORE_ANSWER_SECONDS: Final = 30.0
"""For all of a probe; then the store counts as away."""
BLOB_PIECE_BYTES: Final = 256 * KIB
"""Read at once for a download: 400 hops between event loop and OS threads for 100 MB."""
BLOB_DISK_THREADS: Final = 4
"""OS threads for the folder of blobs: an fsync that takes a second holds up none of the other executor's work."""
BLOB_FRESH_SECONDS: Final = 3600
"""A blob stored again within it is not sent to S3 again. Older ones are, so that `modified` is recent, and the cleanup
of unreferenced blobs leaves alone what an upload is about to name."""
BLOB_PARTIAL_SECONDS: Final = 24 * 3600
"""An unfinished copy of this age was left by a process that was killed."""
BLOB_COPIES_AT_ONCE: Final = 4
"""Of a move from store to store: enough to hide the latency of S3, and no more memory than uploads take."""
