"""What `xp` reads and shows at once."""

from typing import Final

XP_ARTIFACTS: Final = 100
"""Artifacts that `xp` reads in one step: each may be large."""
XP_NAME_BYTES: Final = 220
"""Of a name of a file in an export: while it is written it is longer, and file systems take 255."""
XP_FILES_NAMED: Final = 10
"""Missing or wrong files that are named after a backup or restore; the rest are counted. JSON has all."""
XP_PROGRESS_ROWS: Final = 1_000
"""Rows between two moves of the progress bar."""
XP_ROWS: Final = 1_000
"""Rows of a query that a terminal shows unless `--limit` says otherwise."""
XP_LARGEST: Final = 10
"""Threads that `xp du` shows: those that are worth a look."""
XP_FINDINGS: Final = 20
"""Findings of a kind that are shown; the rest are counted. JSON has all."""
XP_PIECE_BYTES: Final = 64 * 1024
"""Of a file that `xp` reads or writes at once."""
XP_PAGE: Final = 500
"""Records that `xp` reads in one step of a list."""
XP_MOVE_PASSES: Final = 10
"""Over a source that a busy server adds to: each copies what came during the one before."""
XP_SETTLE_SECONDS: Final = 5.0
"""For what a command has written to be indexed for search before the process ends."""
XP_TAIL_SECONDS: Final = 0.3
"""Between two looks at a log that another process writes."""
XP_TAIL_EVENTS: Final = 10
"""Events that `xp thread tail` begins with."""
XP_SENDING_SECONDS: Final = 0.2
"""Between two looks whether another process has sent a delivery."""
XP_DELIVERIES: Final = 20
"""The newest deliveries of a webhook that `xp` shows."""
XP_NUMBER: Final = 2**53 - 1
"""The largest number that is typed: as the API has it, because JSON keeps no larger one exactly."""
