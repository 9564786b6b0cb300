"""Fault drills (`xp drill`): sizes and times of what is done to a scratch server."""

from typing import Final

DRILL_WRITERS: Final = 8
"""Clients that write: half over REST, half over WebSockets. Enough for transactions with several messages."""
DRILL_SUBSCRIBERS: Final = 4
"""Clients that read: each must see every event once."""
DRILL_THREADS: Final = 3
"""That are written to: each has its own offsets."""
DRILL_CHARACTERS: Final = 4_000
"""Of a message: a disk of DRILL_FILE_BYTES is full within a second."""
DRILL_FILE_BYTES: Final = 1_500_000
"""Offset beyond which no file can be written while the disk is full."""
DRILL_WAIT_SECONDS: Final = 60.0
"""For a server to start, to refuse, to work again. One that takes longer has failed."""
DRILL_PAUSE_SECONDS: Final = 0.05
"""Of a writer that was refused, and between two looks at a server that starts."""
DRILL_TOKEN_SECONDS: Final = 7 * 86_400
"""Tokens are minted days ago and are good for days: a clock that jumps by hours does not end them."""
DRILL_JUMP_SECONDS: Final = 3_600
"""Of the clock, forth and back: a time zone that was set wrong, a virtual machine that was paused."""
DRILL_NEIGHBOUR_BYTES: Final = 32 * 2**20
"""File that a neighbour on the same disk writes and syncs again and again."""
DRILL_NEIGHBOURS: Final = 2
"""Such neighbours."""
DRILL_KILL_SECONDS: Final = 0.3
"""After a restart, at least, until the next kill: some messages are written. At most three times as long."""
