"""state₀ ⊕ events == state: whatever is written, wherever the connection is cut, over WebSocket and over SSE."""

import asyncio
from collections.abc import Sequence
from typing import Any, Literal

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.realtime_client import PATIENCE, EventStream, RawClient, event_stream, raw_client
from tests.server.realtime.mirror import Mirror
from tests.serving import Answer, Client, Server

ACTIONS = ("post", "post", "post", "edit", "delete", "react", "read", "title", "join", "leave", "remember")
Action = tuple[str, int]

actions = st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 7)), min_size=1, max_size=12)
cuts = st.lists(st.integers(0, 6), max_size=6)
"""After how many events each connection is cut; the one after the last of them stays."""


class Follower:
    """Follows one thread; every event exactly once and in order, or it fails."""

    def __init__(
        self, server: Server, client: Client, mirror: Mirror, epoch: str, written: "asyncio.Future[int]"
    ) -> None:
        self.server = server
        self.client = client
        self.mirror = mirror
        self.epoch = epoch
        self.written = written
        """The offset of the last event, once all is written."""

    def take(self, event: Any, offset: int) -> None:
        assert offset == event["offset"] == self.mirror.offset + 1
        self.mirror.apply(event)

    async def by_websocket(self, count: int) -> None:
        """Take `count` events, or all there will be, then be gone."""
        async with raw_client(self.server.session, self.server.websocket_url, self.client.token) as client:
            client.ignores_own = True
            channel = f"thread:{self.mirror.thread['id']}"
            await client.send(
                client.command("subscribe", channel=channel, recover=True, epoch=self.epoch, offset=self.mirror.offset)
            )
            reply = (await client.next())["subscribe"]
            assert reply["recovered"]
            for publication in reply["publications"][:count]:
                self.take(publication["data"], publication["offset"])
            await self._by_pushes(client, count - len(reply["publications"]))
            client.cut()

    async def _by_pushes(self, client: RawClient, count: int) -> None:
        while count > 0 and not self.has_all:
            publication = (await client.next())["push"]["pub"]
            self.take(publication["data"], publication["offset"])
            count -= 1

    async def by_sse(self, count: int) -> None:
        url = f"{self.server.url}/api/v1/threads/{self.mirror.thread['id']}/events"
        cursor = f"{self.epoch}-{self.mirror.offset}"
        async with event_stream(self.server.session, url, self.client.token, cursor) as stream:
            await self._by_events(stream, count)
            stream.cut()

    async def _by_events(self, stream: EventStream, count: int) -> None:
        while count > 0 and not self.has_all:
            fields = await stream.next()
            event = orjson.loads(fields["data"])
            assert fields["event"] == event["type"]
            assert fields["id"] == f"{self.epoch}-{event['offset']}"
            self.take(event, event["offset"])
            count -= 1

    @property
    def has_all(self) -> bool:
        return self.written.done() and self.mirror.offset == self.written.result()

    async def follow(self, how: str, cut_after: Sequence[int]) -> None:
        """Through every cut, then up to all that was written."""
        go = self.by_websocket if how == "websocket" else self.by_sse
        for count in (*cut_after, 10_000):
            going = asyncio.create_task(go(count))
            await asyncio.wait({going, self.written}, return_when=asyncio.FIRST_COMPLETED)
            if self.has_all:  # it may wait for an event that never comes
                going.cancel()
                await asyncio.gather(going, return_exceptions=True)
            if not going.cancelled():
                await going


class Writers:
    """Three people who write at once; what does not fit (an edit of nothing) is refused, and changes nothing."""

    def __init__(self, people: Sequence[Client], ids: Sequence[str], thread_id: str) -> None:
        self.people = people
        self.ids = ids
        self.url = f"/api/v1/threads/{thread_id}"
        self.messages: list[str] = []

    async def run(self, programs: Sequence[Sequence[Action]]) -> int:
        await asyncio.gather(*map(self._program, self.people, programs))
        return int((await self.people[0].get(self.url)).data["offset"])

    async def _program(self, client: Client, program: Sequence[Action]) -> None:
        for action, number in program:
            answer = await self._do(client, action, number)
            assert answer is None or answer.status < 500, answer.raw

    async def _do(self, client: Client, action: str, number: int) -> Answer | None:
        if action == "post":
            answer = await client.post(f"{self.url}/messages", content=f"{client.name} {number}")
            if answer.status == 201:
                self.messages.append(answer.data["id"])
            return answer
        if action in ("edit", "delete", "react"):
            return await self._about_message(client, action, number)
        if action == "read":
            return await client.post(f"{self.url}/read")
        if action == "title":
            return await client.patch(self.url, title=f"Title {number}")
        if action == "remember":
            return await client.patch(f"{self.url}/memory", memory={f"k{number % 3}": number})
        if action == "join":
            return await client.post(f"{self.url}/members", user_id=self.ids[number % 3], role="MEMBER")
        # The one who follows stays: what they may see is another test's.
        return await client.delete(f"{self.url}/members/{self.ids[1 + number % 2]}")

    async def _about_message(self, client: Client, action: str, number: int) -> Answer | None:
        if not self.messages:
            return None
        url = f"/api/v1/messages/{self.messages[number % len(self.messages)]}"
        if action == "edit":
            return await client.patch(url, content=f"Edited by {client.name} {number}")
        if action == "delete":
            return await client.delete(url)
        return await client.post(f"{url}/reactions", emoji=("👍", "🎉")[number % 2])


@pytest.mark.parametrize("how", ["websocket", "sse"])
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(programs=st.tuples(actions, actions, actions), cut_after=cuts)
async def test_the_state_and_its_events_make_the_state(
    server: Server,
    how: Literal["websocket", "sse"],
    programs: tuple[list[Action], ...],
    cut_after: list[int],
) -> None:
    people = [server.client(name) for name in ("alice", "bob", "carol")]
    ids = [(await client.me())["id"] for client in people]
    members = [{"user_id": user_id} for user_id in ids[1:]]
    thread = await people[0].thread(members=members)
    mirror = await Mirror.of(people[0], thread["id"])
    epoch = (await people[0].get(f"/api/v1/threads/{thread['id']}/log")).metadata["epoch"]
    async with asyncio.timeout(PATIENCE):
        written = asyncio.ensure_future(Writers(people, ids, thread["id"]).run(programs))
        await Follower(server, people[0], mirror, epoch, written).follow(how, cut_after)
    assert mirror.shown() == (await Mirror.of(people[0], thread["id"])).shown()
