"""Samples of the last hour, and since when each part has been as it is."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from actors import limits
from server.telemetry.status.samples import Sample


class Finding(NamedTuple):
    name: str
    is_needed: bool
    """Whether the server is of no use without this part."""
    reason: str | None
    """Why it fails; None: it works."""


@dataclass(slots=True)
class Part:
    """Of the server."""

    finding: Finding
    since: float
    """Seconds since 1970: when it began to work, or to fail."""


class History:
    """Confined to the event loop."""

    def __init__(self) -> None:
        self.samples: deque[Sample] = deque(maxlen=limits.STATUS_SAMPLES)
        self.parts: dict[str, Part] = {}
        self._find: Callable[[], Sequence[Finding]] = tuple
        self._take: Callable[[bool], Sample] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def start(
        self, take: Callable[[bool], Sample], find: Callable[[], Sequence[Finding]],
        every_seconds: float = limits.STATUS_SAMPLE_SECONDS,
    ) -> None:  # fmt: skip
        """`take` makes a sample, given whether the server is healthy; `find` looks at the parts."""
        self._find, self._take = find, take
        self._look(every_seconds)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self, every_seconds: float) -> None:
        self.sample_now()
        self._timer = asyncio.get_running_loop().call_later(every_seconds, self._look, every_seconds)

    def sample_now(self) -> None:
        assert self._take is not None, "it was started"
        self.refresh()
        self.samples.append(self._take(self.is_healthy))

    def refresh(self) -> None:
        """Of the parts alone, for who looks between two samples."""
        for finding in self._find():
            known = self.parts.get(finding.name)
            if known is None or (known.finding.reason is None) != (finding.reason is None):
                self.parts[finding.name] = Part(finding, time.time())
            else:
                known.finding = finding

    @property
    def is_healthy(self) -> bool:
        return all(part.finding.reason is None for part in self.parts.values() if part.finding.is_needed)
