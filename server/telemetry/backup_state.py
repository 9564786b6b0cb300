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
    lineage_since: int | None = None
    """When this server saw it begin."""

    def lag_seconds(self) -> float:
        """That would be lost with the disk now."""
        return 0.0 if self.behind_since is None else max(0.0, time.time() - self.behind_since / 1000)


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
