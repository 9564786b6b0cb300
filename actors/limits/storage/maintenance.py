"""Backups, checks and long deletions."""

from typing import Final

CHECKED_BLOBS: Final = 1_000
"""Blobs that are read from the database in one step of a check."""
BACKUP_PAGES: Final = 1_024
"""Pages of the database copied in one step of a backup, 4 MiB: between two, progress is reported."""
FINDINGS_SHOWN: Final = 10
"""Findings of one rule that are shown; the rest are counted."""
AUDIT_ENTRIES: Final = 500
"""Entries of the audit log whose hashes are checked in one step."""
TEXT_INDEX_PAGES: Final = 250
"""Of the index of names and texts, written in one step: a megabyte."""
DOCTOR_FREE_BYTES: Final = 1024**3
"""Of the disk, below which `xp doctor` warns."""
DOCTOR_OPEN_FILES: Final = 1_024
"""The usual limit; each connection takes one, and so do a few files of our own."""
DOCTOR_DRIFT_SECONDS: Final = 60
"""How far the newest entry of the log may be ahead of the clock."""
BACKUPS_KEPT: Final = 10_000
"""Of one period, that a rule may name: a backup an hour for a year."""
SCHEDULE_DAYS: Final = 8 * 366
"""Looked through for the next moment of a schedule: 29 February may be eight years away."""
LOCK_TRIES: Final = 5
"""To take the lock of a data folder, before it is another server's: commands hold it for microseconds."""
LOCK_PAUSE_SECONDS: Final = 0.02
"""Between two of them."""
