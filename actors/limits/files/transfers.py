"""Bytes on their way, in either direction: pieces, OS threads, the pace of a client."""

from typing import Final

from actors.limits.units import KIB, MIB

TRANSFER_PIECE_BYTES: Final = 512 * KIB
"""Read, hashed and written at once: one hop to another OS thread for each. A transfer holds two of them."""
TRANSFER_WRITE_OUT_BYTES: Final = 4 * MIB
"""Written to the disk while the next ones come in: an upload does not end with one long sync of all its bytes."""
TRANSFER_GATHER_SECONDS: Final = 0.05
"""At most, until a piece that is not full is written: what a killed server had of it comes again."""
TRANSFER_THREADS: Final = 4
"""That write and send files, beside those that read the database: a disk that hangs holds up transfers alone."""
COMMITS_LOOK_SECONDS: Final = 0.25
"""Between two counts of commits, by which uploads find their pace: a conversation that begins is soon noticed."""
FREQUENT_COMMITS: Final = 20.0
"""A second: more than uploads cause by themselves, one after another. From there on uploads give way."""
DISK_REST_SECONDS: Final = 0.1
"""At most, after a piece of an upload while commits are frequent: a disk that hangs for long does not rest as long."""
TRANSFER_NICENESS: Final = 5
"""Of those OS threads, on Linux: a third of the event loop's share of a core that both want."""
TRANSFER_LOOK_SECONDS: Final = 0.4
"""Between two looks whether a transfer is still allowed and goes on: with ACCESS_LOOK_SECONDS below a second."""
TRANSFER_STEP_SECONDS: Final = 20.0
"""How long a step of a transfer is."""
TRANSFER_STEP_BYTES: Final = 8 * KIB
"""What must come, or be taken, in every step: less is no line, but a client that holds a connection."""
TRANSFER_VISIT_BYTES: Final = 4 * MIB
"""Sent in one visit to an OS thread: what a fast client takes in a few milliseconds."""
