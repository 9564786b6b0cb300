"""What is watched at the moment, and what of all that happens concerns whom."""

import time
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from actors import limits
from actors.auth.identity import Identity
from actors.delivery.publication import Publications
from actors.errors import Overloaded, XpError
from actors.events import Event
from actors.runtime.loop_actor import Stage
from server.api.render import iso_time
from server.limits.token_bucket import TokenBucket
from server.realtime.hub import Client, Hub

T = TypeVar("T")
Kind = Literal["user", "thread", "connection"]
Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Subject:
    kind: Kind
    id: str

    def is_user(self, identity: Identity | None) -> bool:
        return self.kind == "user" and identity is not None and identity.user.id == self.id

    def is_client(self, client: Client) -> bool:
        return client.client_id == self.id if self.kind == "connection" else self.is_user(client.identity)

    def is_thread(self, thread_id: str) -> bool:
        return self.kind == "thread" and thread_id == self.id


class Watch:
    """One administrator's. What comes faster than a person reads is counted, not told."""

    def __init__(self, subject: Subject, tell: Callable[[str, Facts], None]) -> None:
        self.subject = subject
        self._tell = tell
        self._bucket = TokenBucket(limits.WATCH_PER_SECOND, limits.WATCH_BURST)
        self._omitted = 0

    def tell(self, kind: str, facts: Facts) -> None:
        if not self._bucket.take():
            self._omitted += 1
            return
        told = {"at": iso_time(time.time_ns() // 1_000_000), **facts}
        if self._omitted:
            told["omitted"], self._omitted = self._omitted, 0
        self._tell(kind, told)


class Watches:
    """Implements `actors.watching.Watcher`. Confined to the event loop."""

    def __init__(self) -> None:
        self.is_on = False
        """Whether anybody watches anything: asked everywhere before anything else is done."""
        self._watches: list[Watch] = []
        self._clients: Mapping[str, Client] = {}
        self._own: set[str] = set()
        """Connections of the watchers themselves: what they receive is not watched."""
        self._hub: Hub | None = None

    def must_have_room(self) -> None:
        """Raises `Overloaded`."""
        if len(self._watches) >= limits.WATCHES:
            raise Overloaded(
                f"{len(self._watches)} watches are open, the limit is {limits.WATCHES}; end one, or retry."
            )

    @contextmanager
    def one(self, watch: Watch, own: str, stage: Stage, hub: Hub) -> Iterator[None]:
        """While inside, `watch` receives items. `own`: the connection of the watch itself. Raises `Overloaded`."""
        self.must_have_room()
        self._watches.append(watch)
        self._own.add(own)
        self._hub, stage.watcher, self.is_on = hub, self, True
        try:
            yield
        finally:
            self._watches.remove(watch)
            self._own.discard(own)
            if not self._watches:
                self._hub, stage.watcher, self.is_on, self._clients = None, None, False, {}

    # Connections

    def wrote(self, client_id: str, size: int) -> None:
        self._of_client(client_id, "frame", {"direction": "out", "bytes": size})

    def came(self, client: Client) -> None:
        self._tell(client, "connected", {"transport": client.transport})

    def took(self, client: Client, size: int) -> None:
        self._tell(client, "frame", {"direction": "in", "bytes": size})

    def heard(self, client: Client, verb: str | None, body: object) -> None:
        """A command of the protocol; of what it has, only the channel."""
        channel = body.get("channel") if isinstance(body, dict) else None
        named = channel if isinstance(channel, str) else ""
        thread_id = named.removeprefix("thread:") if named.startswith("thread:") else ""
        facts = {"verb": verb if verb is not None else "unknown", "channel": named[:100] or None}
        self._tell(client, "verb", facts, lambda subject: subject.is_thread(thread_id))

    def closed(self, client_id: str, code: int, reason: str) -> None:
        self._of_client(client_id, "closed", {"code": code, "reason": reason})

    def left(self, client: Client) -> None:
        self._tell(client, "left", {})

    def delivered(self, client_id: str, publications: Publications) -> None:
        items = publications.items
        facts = {
            "channel": publications.channel, "types": sorted({item.type for item in items}),
            "first": publications.first, "last": publications.last, "bytes": sum(len(item.data) for item in items),
        }  # fmt: skip
        self._of_client(client_id, "delivery", facts)

    # Threads

    def published(self, thread_id: str, events: Sequence[Event]) -> None:
        for event in events:
            facts = {"thread_id": thread_id, "type": event.type, "offset": event.offset, "position": event.position}
            self._to(lambda subject: subject.is_thread(thread_id), "publication", facts)

    # Commands

    async def command(self, name: str, ids: Collection[str], seen: "Seen", work: Coroutine[Any, Any, T]) -> T:
        """`seen` learns meanwhile who asks, and over which connection."""
        began, code = time.monotonic(), None
        try:
            return await work
        except XpError as error:
            code = error.code
            raise
        except BaseException as error:
            code = "internal" if isinstance(error, Exception) else "cancelled"
            raise
        finally:
            facts = {
                "operation": name, "milliseconds": round((time.monotonic() - began) * 1000, 1),
                "result": code or "ok", "user_id": seen.who.user.id if seen.who is not None else None,
            }  # fmt: skip
            self._to(lambda subject: _concerns(subject, ids, seen), "command", facts)

    # Telling

    def _of_client(self, client_id: str, kind: str, facts: Facts) -> None:
        if client_id in self._own or self._hub is None:
            return
        client = self._clients.get(client_id)
        if client is None:
            self._clients = {each.client_id: each for each in self._hub.clients}
            client = self._clients.get(client_id)
        if client is not None:
            self._tell(client, kind, facts)

    def _tell(
        self, client: Client, kind: str, facts: Facts, also: Callable[[Subject], bool] = lambda subject: False
    ) -> None:
        named = {"connection_id": client.client_id, **facts}
        self._to(lambda subject: subject.is_client(client) or also(subject), kind, named)

    def _to(self, concerns: Callable[[Subject], bool], kind: str, facts: Facts) -> None:
        for watch in self._watches:
            if concerns(watch.subject):
                watch.tell(kind, facts)


@dataclass(slots=True)
class Seen:
    """What is known of a request by now."""

    who: Identity | None = None
    connection: Client | None = None


def _concerns(subject: Subject, ids: Collection[str], seen: Seen) -> bool:
    if subject.kind == "thread":
        return subject.id in ids
    return subject.is_user(seen.who) or (seen.connection is not None and subject.is_client(seen.connection))
