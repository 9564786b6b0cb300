"""Scheduled messages and reminders."""

from typing import Final

SCHEDULES_PENDING: Final = 100
"""Of one user: a person looks through so many; an application that needs more has a clock of its own."""
SCHEDULE_AHEAD_SECONDS: Final = 366 * 24 * 3600
"""A year: beyond it time zones change their rules too often."""
SCHEDULES_KEPT_SECONDS: Final = 30 * 24 * 3600
"""How long one that was sent, failed or was cancelled stays in the list."""
SCHEDULE_LOOK_SECONDS: Final = 1.0
"""Between two looks what is due, where nothing is known to be due earlier: how late a new one may be at most."""
SCHEDULE_RETRY_SECONDS: Final = 10.0
"""Until a message is tried again that could not be written now: an answer is being streamed, the disk is full."""
SCHEDULE_GIVE_UP_SECONDS: Final = 3600
"""For so long after its time it is tried again; one that came due while the server was down is tried once anyway."""
SCHEDULES_DUE: Final = 50
"""That are sent by one look: what has come together while the server was down is sent in steps."""
SCHEDULES_ENDED: Final = 1_000
"""That end in the transaction which deletes their thread: some 20 ms. The rest fail when they are due."""
SCHEDULE_NOTE_CHARS: Final = 1_000
"""Of a reminder: what to think of."""
SCHEDULE_REASON_CHARS: Final = 300
"""Of why it failed, as the refusal said it."""
