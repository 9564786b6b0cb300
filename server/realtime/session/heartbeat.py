"""Pings of one connection: any frame of its client counts as life."""

from actors import limits


class Heartbeat:
    __slots__ = ("_pinged_at", "last_frame")

    def __init__(self, now: float) -> None:
        self.last_frame = now
        """When the newest one came; set with every frame."""
        self._pinged_at: float | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether the last ping has to be answered by now."""
        return self._pinged_at is not None

    @property
    def is_lost(self) -> bool:
        """Whether nothing came since the last ping."""
        return self._pinged_at is not None and self.last_frame < self._pinged_at

    def pinged(self, now: float) -> float:
        """Answers the seconds until it has to be answered."""
        self._pinged_at = now
        return limits.PONG_SECONDS

    def answered(self, ping_seconds: float) -> float:
        """Answers the seconds until the next ping."""
        self._pinged_at = None
        return ping_seconds - limits.PONG_SECONDS
