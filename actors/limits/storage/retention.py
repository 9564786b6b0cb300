"""Retention: how often its rules run, how large their steps are, and how space is given back."""

from typing import Final

RETENTION_SECONDS: Final = 3_600.0
"""Between two runs of the rules, which count in days."""
RETENTION_FIRST_SECONDS: Final = 600.0
"""After the start, until the first run: time to stop a server whose rules were set wrongly."""
RETENTION_LOOKED_AT: Final = 1_000
"""Threads, former versions or entries looked at by one read of a rule: a few milliseconds."""
RETENTION_STEP: Final = 20
"""Threads or messages taken in one transaction: the end of a thread is written into the logs of its members."""
RETENTION_AUDIT_STEP: Final = 100
"""Entries of the audit log verified and removed in one transaction, 15 ms of the journal: each step adds an entry."""
RETENTION_LOG_SECONDS: Final = 400 * 86_400
"""Runs are kept in the run log for: a year is asked for, and its first weeks are still there."""
RETENTION_RUNS_SHOWN: Final = 10
"""Newest runs in the status of the server."""
RETENTION_DAYS: Final = 36_500
"""A rule may name: a century, so that no time before it is out of range."""
SHRINK_PAGES: Final = 64
"""Free pages given back in one transaction, half a megabyte at most: about a millisecond of the journal."""
SHRINK_RESERVE_PAGES: Final = 2_000
"""Free pages that stay, because new rows take them at once: a database that breathes does not move its pages."""
SHRINK_RESERVE_PARTS: Final = 20
"""One part of so many of the database may be free before any of it is given back."""
