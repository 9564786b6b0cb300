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
