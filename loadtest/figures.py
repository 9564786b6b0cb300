"""What a run has measured, in memory that does not grow with its length."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from actors import limits
from loadtest.histogram import Histogram


@dataclass
class Slot:
    """A stretch of time."""

    done: int = 0
    failed: int = 0
    delivered: int = 0
    latency: Histogram = field(default_factory=Histogram)

    def merge(self, other: "Slot") -> None:
        self.done += other.done
        self.failed += other.failed
        self.delivered += other.delivered
        self.latency.merge(other.latency)


class Timeline:
    """Slots of equal width, from the start on. When there are too many, two become one."""

    def __init__(self) -> None:
        self.width = 1.0
        """Seconds."""
        self.slots: list[Slot] = []

    def at(self, seconds: float) -> Slot:
        while (index := int(max(0.0, seconds) / self.width)) >= limits.LOAD_SLOTS:
            self._halve()
        while len(self.slots) <= index:
            self.slots.append(Slot())
        return self.slots[index]

    def _halve(self) -> None:
        for first, second in zip(self.slots[::2], self.slots[1::2], strict=False):
            first.merge(second)
        self.slots = self.slots[::2]
        self.width *= 2


class Figures:
    """`started` is the moment on the clock of the run that times are counted from."""

    def __init__(self, started: float) -> None:
        self.started = started
        self.timeline = Timeline()
        self.latency: dict[str, Histogram] = defaultdict(Histogram)
        """Action → seconds from the moment at which it was due to its answer."""
        self.errors: Counter[tuple[str, str]] = Counter()
        """(action, code) → how often."""
        self.delivery = Histogram()
        """From the moment at which a message was due until a subscriber had it."""
        self.first_words = Histogram()
        """The same for the first words of a streamed answer."""
        self.lateness = Histogram()
        """Of the generator itself: how long after its moment an arrival was started."""

    def done(self, action: str, due: float, now: float) -> None:
        self.latency[action].add(now - due)
        slot = self.timeline.at(now - self.started)
        slot.done += 1
        slot.latency.add(now - due)

    def failed(self, action: str, code: str, now: float) -> None:
        key = (action, code)
        if key not in self.errors and len(self.errors) >= limits.LOAD_ERRORS:
            key = (action, "other")
        self.errors[key] += 1
        self.timeline.at(now - self.started).failed += 1

    def delivered(self, due: float, now: float) -> None:
        self.delivery.add(now - due)
        self.timeline.at(now - self.started).delivered += 1

    @property
    def counts(self) -> tuple[int, int]:
        """(done, failed)"""
        return sum(each.count for each in self.latency.values()), self.errors.total()
