"""An export that is made while its user does something else: the record, and the event about it. Pure.

It is made of what is there, so it is in no log, no database and no backup: a file for a day, and a record beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from actors.events import EphemeralKind

ExportStatus = Literal["PENDING", "RUNNING", "DONE", "FAILED"]
ExportKind = Literal["artifact", "thread"]


@dataclass(frozen=True, slots=True)
class Export:
    id: str
    user_id: str
    user_key: int
    kind: ExportKind
    subject_id: str
    """The artifact's, or the thread's."""
    format: str
    version: int | None
    """Of the artifact; None: the newest, as it was when the export was made."""
    chart: str | None
    status: ExportStatus
    created_at: int
    expires_at: int
    """Then the record and its file go."""
    done: int = 0
    steps: int = 1
    """A step for each chart, and one for the document."""
    name: str | None = None
    """Of its file."""
    media_type: str | None = None
    size: int | None = None
    pages: int | None = None
    missing_scripts: str | None = None
    undrawn: int = 0
    left_out: int = 0
    """Of a thread: older messages than the export has."""
    threads: Sequence[str] = ()
    """Of what it shows: who fetches it must still see them."""
    error: str | None = None
    """A sentence."""
    code: str | None = None
    once_key: str | None = None
    """Idempotency key and fingerprint of the request that asked for it."""
    fingerprint: str | None = None

    @property
    def is_over(self) -> bool:
        return self.status in ("DONE", "FAILED")


EXPORT_PROGRESS: Final = EphemeralKind("export.progress", Export, channel="user")
"""To the devices of the user who asked for it: at each step, and at the end."""
