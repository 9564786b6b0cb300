"""Events: entries of a durable log, and the kinds of them.

A kind is declared once, beside its resource (`actors/resources/`). Storage registers a loader of its data (for replay),
the server a view of it (for clients); both are keyed by the kind itself, and a test holds that no kind lacks one.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Literal

from actors.resources.users import Author

Channel = Literal["thread", "user"]
"""Whose subscribers get it, and whose log keeps it: a thread's, or a user's own."""


@dataclass(frozen=True, slots=True, eq=False)
class EventKind:
    name: str
    """As the `type` of an event on the wire and in the database."""
    data: type | UnionType
    """Of an event's `data`."""
    refers_to: str | None
    """The resource that a replay loads for an entry, as it is now; None: the entry itself holds all of it."""
    ends_access: Literal["member", "everyone"] | None = None
    """Who loses access to the thread by such an event: the member it is about, everyone, or nobody (None)."""
    channel: Channel = "thread"


@dataclass(frozen=True, slots=True, eq=False)
class EphemeralKind:
    """Of events that are in no log: delivered to the current subscribers only. A server view is registered for each."""

    name: str
    data: type
    channel: Channel = "thread"


class UnknownEventKind(KeyError):
    def __init__(self, name: object, known: "EventKinds") -> None:
        super().__init__(f"Expected a kind of event ({', '.join(known)}), got {name!r}.")

    def __str__(self) -> str:
        return str(self.args[0])


class EventKinds(Mapping[str, EventKind]):
    """All kinds of the logs of one channel, by name. Any other name raises `UnknownEventKind`."""

    def __init__(self, kinds: Iterable[EventKind]) -> None:
        self._kinds: dict[str, EventKind] = {}
        for kind in kinds:
            if self._kinds.setdefault(kind.name, kind) is not kind:
                raise ValueError(f"The kind of event {kind.name!r} is declared twice.")

    def __getitem__(self, name: str) -> EventKind:
        try:
            return self._kinds[name]
        except KeyError:
            raise UnknownEventKind(name, self) from None

    def require(self, kind: EventKind) -> None:
        """Raises `UnknownEventKind` for a kind that this log does not have: no replay could load it."""
        if self[kind.name] is not kind:
            raise UnknownEventKind(kind.name, self)

    def __iter__(self) -> Iterator[str]:
        return iter(self._kinds)

    def __len__(self) -> int:
        return len(self._kinds)


@dataclass(slots=True)  # not frozen for the reason that commands are not
class Event:
    """One entry of the log of threads."""

    thread_key: int
    thread_id: str
    position: int
    """In the log of all threads: one total order, in commit order."""
    offset: int
    """In this thread's log: 1, 2, 3, … without a gap."""
    type: str
    """The name of its kind."""
    time: int
    actor: Author
    data: object
    """The resource that it is about, as it is now; its type is `KINDS[type].data`. None of a kind that only a newer
    release knows."""


@dataclass(frozen=True, slots=True)
class LogPage:
    """Some entries of the log, and its head when they were read."""

    epoch: str
    events: tuple[Event, ...]
    head: int
    """Offset (one thread) or position (many) of the newest entry."""
    position: int
    """Of the newest entry of all threads."""
    more: bool
