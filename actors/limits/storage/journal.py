"""The journal: admission, batches, a database that fails, shutdown."""

from typing import Final

COMMANDS_IN_ALL: Final = 20_000
"""In flight in the journal: about a second of work."""
HEAL_SECONDS: Final = 1.0
"""Between two tries whether a database that failed takes something again."""
JOURNAL_STALLED_SECONDS: Final = 20.0
"""Without an answer of the database, then the server is not ready: another process's lock is waited for 5 s."""
JOURNAL_BATCH: Final = 1024
"""Commands in one transaction: past it a commit's latency grows faster than its throughput."""
SCRUB_SECONDS: Final = 60.0
"""After a deletion, until the write-ahead log is emptied of what it took away: each time costs an fsync of the file."""
DRAIN_SECONDS: Final = 8.0
"""Of the 10 s in which the process must be gone: the rest is for the last commit and closing the database."""
FOLLOW_SECONDS: Final = 1.0
"""Between two looks whether another process has written: `xp thread post` beside a server is seen within it."""
FOLLOW_POSITIONS: Final = 1_000
"""Positions of the log that are read in one step, when another process has written more."""
HOUSEKEEPING_SECONDS: Final = 60.0
"""Between two rounds of removing what has expired: it is kept for hours or days."""
HOUSEKEEPING_PAUSE_SECONDS: Final = 0.05
"""Between two steps of a round, so that they take a small part of the time of the journal."""
STATEMENT_ROWS: Final = 64
"""Rows in one statement: SQLite keeps as many kinds of it ready as there are sizes."""
WARY_BATCHES: Final = 64
"""Batches that run with a savepoint for each command after one was refused: that costs a tenth; running twice doubles
the cost."""
