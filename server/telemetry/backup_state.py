"""How backups by schedule are doing, for metrics and the status page."""

import time
from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class ShippingState:
    """Of continuous backup, as its process has noted it last."""

    is_on: bool = False
    shipped_at: int | None = None
    """What the newest segment on the shelf holds is as old."""
    behind_since: int | None = None
    """Of the oldest change that is not on the shelf."""
    waiting: int = 0
    """Bytes of segments that are to be shipped."""
    segments: int = 0
    bytes: int = 0
    """Shipped since the server has started."""
    failing_since: int | None = None
    reason: str = ""
    lineage: str = ""
    """Of segments; empty while changes are not captured. A backup has to belong to it before they can be restored."""
    works_since: int | None = None
    """When this server saw the lineage begin, or the shelf take segments again: what failed before may succeed now."""
    without_backup_since: int | None = None
    """When the first lineage began of those that no backup has been made for: nothing since can be restored."""

    def follow(self, lineage: str, failing_since: int | None, now: int) -> None:
        """The lineage that changes are captured for now, and since when they are not shipped."""
        if lineage not in ("", self.lineage):
            self.works_since = now
            self.without_backup_since = self.without_backup_since or now
        elif self.failing_since is not None and failing_since is None:
            self.works_since = now
        self.lineage, self.failing_since = lineage, failing_since

    def backed_up(self, lineage: str) -> None:
        """The newest good backup belongs to this lineage; empty: to none."""
        if lineage and lineage == self.lineage:
            self.without_backup_since = None

    def lag_seconds(self) -> float:
        """That would be lost with the disk now."""
        since = [at for at in (self.behind_since, self.without_backup_since) if at is not None]
        return max(0.0, time.time() - min(since) / 1000) if since else 0.0


@dataclass(slots=True)
class BackupState:
    """Times are milliseconds since 1970; None: never. Confined to the event loop."""

    is_scheduled: bool = False
    due_at: int | None = None
    """When the next good one is due: after the last good one, however often it was tried since."""
    good_at: int | None = None
    name: str = ""
    size: int = 0
    seconds: float = 0.0
    failing_since: int | None = None
    reason: str = ""
    """Why the last one failed; empty where it did not."""
    results: Counter[str] = field(default_factory=Counter)
    """Of those of this process: `good`, `incomplete` (files are missing), `failed`."""

    shipping: ShippingState = field(default_factory=ShippingState)

    def age_seconds(self) -> float | None:
        """Of what the newest good one holds."""
        return None if self.good_at is None else max(0.0, time.time() - self.good_at / 1000)

    def late_seconds(self) -> float:
        """For how long a good one has been due."""
        return 0.0 if self.due_at is None else max(0.0, time.time() - self.due_at / 1000)
