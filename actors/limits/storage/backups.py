"""Backups by a schedule."""

from typing import Final

BACKUP_RETRY_SECONDS: Final = 900
"""After one that failed: a full disk or a lost network often heals by then, and the log has a line each time."""
BACKUP_AHEAD_MS: Final = 60_000
"""As far ahead of the clock the time of the last backup may be: clocks are set back by less all the time."""
BACKUP_LOOK_SECONDS: Final = 60.0
"""Longest sleep of the schedule: the clock of the machine may be set, and another process make a backup."""

SHIPPING_BUSY_MS: Final = 50
"""For so long the process that ships waits for a lock of the database; then it looks again a second later."""
SHIPPING_TURN_FRAMES: Final = 4_000
"""In the write-ahead log, 16 MiB, from which it is made to start over."""
SHIPPING_QUIET_SECONDS: Final = 10.0
"""Without a write, after which the write-ahead log is emptied: so deleted contents leave it, too."""
SHIPPING_SPOOL_BYTES: Final = 512 << 20
"""Segments that wait for a shelf that is away, unless BACKUP_SPOOL says otherwise: hours of a usual server."""
SHIPPING_RETRY_SECONDS: Final = 10.0
"""Longest pause between two attempts to reach the shelf."""
SHIPPING_END_SECONDS: Final = 5.0
"""For what is left when the server ends; what a shelf does not take by then is shipped after the next start."""
SHIPPING_HANDOVER_SECONDS: Final = 0.5
"""The same where another server takes over: requests wait for it."""
SHIPPING_SILENT_SECONDS: Final = 60.0
"""Without a look, after which the process that ships counts as gone."""
SHIPPING_START_SECONDS: Final = 10.0
"""A backup waits for the process that ships, which starts with the server."""
SHIPPING_LOOK_SECONDS: Final = 40.0
"""A backup waits for two looks, which are 10 s apart at most."""
SHIPPING_POLL_SECONDS: Final = 0.05
"""Between two reads of a small file by who waits for its change."""
SHIPPING_STATE_SECONDS: Final = 1.0
"""Between two reads of what the process that ships has noted."""
CONTINUOUS_PAUSE_SECONDS: Final = 60
"""Between two backups that only begin a lineage: a server that restarts again and again does not copy all the time."""
CONTINUOUS_SCHEDULE: Final = "1d"
"""Of backups where changes are shipped and BACKUP_SCHEDULE is not set: a restore applies a day's segments at most."""
SHIPPING_AGAIN_SECONDS: Final = 5.0
"""Until the process that ships is started again after it has ended by itself."""
SHIPPING_FILES_SECONDS: Final = 1.0
"""Between two looks for new files."""
SHIPPING_FILES: Final = 100
"""Copied at once; the rest follow."""
SEGMENT_MEMORY_BYTES: Final = 8 << 20
"""Of a segment; what is longer is written through a scratch file."""
WAL_READ_BYTES: Final = 1 << 20
"""Of the write-ahead log at once."""
WAL_INDEX_READS: Final = 200
"""Attempts to read the header of its index, a millisecond apart: a writer changes it in microseconds."""
SEGMENTS_AHEAD: Final = 16
"""Fetched from the shelf while others are applied: a bucket answers in tens of milliseconds."""
CONTINUOUS_DAYS: Final = 3
"""Back to which `--at` reaches where BACKUP_KEEP does not say: a mistake is noticed by then, after a weekend, too."""
BACKUPS_LOOKED_AT: Final = 100
"""The oldest backups, of which is looked by which key they were encrypted: some seconds in a bucket."""
