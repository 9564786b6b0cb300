"""Viewers of one thread: every event once and in order, however often their connection is cut, or they fail."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from tests.carriers import CARRIERS, carrier_of
from tests.realtime_client import event_stream
from tests.server.operations.company import LAST
from tests.server.operations.fold import Fold, fetched
from tests.serving import Client, Server

Json = dict[str, Any]

EVENTS = "events"
"""The thread's stream of server-sent events; all other kinds are what carries the client protocol."""
KINDS = (*CARRIERS, EVENTS)


class Viewer:
    """`visit` connects, takes a number of events, and is gone without a goodbye."""

    def __init__(self, server: Server, client: Client, thread_id: str, kind: str) -> None:
        self.server = server
        self.client = client
        self.thread_id = thread_id
        self.kind = kind
        self.epoch = ""
        self.fold = Fold()
        self.told: set[str] = set()
        """Types of events."""
        self.passed: Counter[str] = Counter()
        """How many of each type that is in no log."""
        self.texts: dict[str, str] = {}
        """What is shown of each message, also while it is being written: `text[:index] + delta`."""
        self.visits = 0

    async def begin(self) -> None:
        """Fetch the state, as it is by now; others may write meanwhile."""
        await self.begin_with_nothing()
        self.fold.begin(await fetched(self.client, self.thread_id))
        self.texts = {key: message["content"] for key, message in self.fold.messages.items()}

    async def begin_with_nothing(self) -> None:
        """From the first entry of the log on."""
        log = await self.client.get(f"/api/v1/threads/{self.thread_id}/log", limit="1")
        self.epoch = log.metadata["epoch"]

    async def follow(self, visits: Iterable[int]) -> None:
        """Through so many visits, or until there is no more."""
        for count in visits:
            if self.has_all:
                return
            await self.visit(count)

    async def visit(self, count: int) -> None:
        self.visits += 1
        await (self._by_stream(count) if self.kind == EVENTS else self._by_client(count))

    @property
    def has_all(self) -> bool:
        thread = self.fold.thread
        return thread.get("metadata") == LAST and self.fold.offset == thread["offset"]

    def take(self, event: Json, offset: int | None) -> None:
        self.told.add(event["type"])
        assert offset == event.get("offset")
        if offset is None:
            self._pass(event["type"], event["data"])
            return
        self.fold.apply(event)
        if event["type"] in ("message.created", "message.completed"):
            self.texts[event["data"]["id"]] = event["data"]["content"]

    def _pass(self, kind: str, data: Json) -> None:
        self.passed[kind] += 1
        if kind == "message.delta":
            so_far = self.texts[data["message_id"]]
            assert data["index"] <= len(so_far), "a hole"
            self.texts[data["message_id"]] = so_far[: data["index"]] + data["text"]

    async def _by_client(self, count: int) -> None:
        async with carrier_of(self.server.session, self.server.url, self.kind) as carrier:
            client = await carrier(self.client.token)
            told = await client.subscribe(self.thread_id, recover=True, epoch=self.epoch, offset=self.fold.offset)
            assert told["recovered"]
            for publication in told.get("publications", [])[:count]:
                self._take_publication(publication)
                count -= 1
            while count > 0 and not self.has_all:
                self._take_publication((await client.push())["pub"])
                count -= 1
            client.cut()

    def _take_publication(self, publication: Mapping[str, Any]) -> None:
        self.take(publication["data"], publication.get("offset"))

    async def _by_stream(self, count: int) -> None:
        url = f"{self.server.url}/api/v1/threads/{self.thread_id}/events"
        cursor = f"{self.epoch}-{self.fold.offset}"
        async with event_stream(self.server.session, url, self.client.token, cursor) as stream:
            while count > 0 and not self.has_all:
                fields = await stream.next()
                epoch, _, offset = fields.get("id", "").partition("-")
                assert epoch == (self.epoch if offset else "")
                event = orjson.loads(fields["data"])
                assert fields["event"] == event["type"]
                self.take(event, int(offset) if offset else None)
                count -= 1
            stream.cut()
