"""Backups by a schedule."""

from typing import Final

BACKUP_RETRY_SECONDS: Final = 900
"""After one that failed: a full disk or a lost network often heals by then, and the log has a line each time."""
BACKUP_LOOK_SECONDS: Final = 60.0
"""Longest sleep of the schedule: the clock of the machine may be set, and another process make a backup."""
