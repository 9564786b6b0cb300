"""state₀ ⊕ events == state, for what is in no log: whatever people do, who listens knows who is there and who types."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import orjson
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from actors import limits
from tests.realtime_client import Disconnected, RawClient, event_stream, raw_client
from tests.server.realtime.waiting import until
from tests.serving import Client, Server, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")
ACTIONS = ("come", "come", "go", "type", "type", "stop", "say", "away", "back")
programs = st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(1, 2)), min_size=1, max_size=12)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "PRESENCE_SECONDS", 0.01)
        patch.setattr(limits, "PRESENCE_LEAVE_SECONDS", 0.03)
        patch.setattr(limits, "TYPING_PAUSE_SECONDS", 0.02)
        async with serving(tmp_path_factory.mktemp("presence") / "data") as running:
            yield running


class Listener:
    """Keeps what it knows while it is away."""

    def __init__(self, server: Server, client: Client, thread_id: str, way: str) -> None:
        self.server, self.client, self.thread_id, self.way = server, client, thread_id, way
        self.present: set[str] = set()
        self.typing: set[str] = set()
        self._since: dict[str, Any] | None = None
        self._cursor: str | None = None
        self._open = AsyncExitStack()
        self._reading: asyncio.Task[None] | None = None

    def apply(self, event: Any) -> None:
        data = event["data"]
        if event["type"] == "typing":
            self.typing = {each["name"] for each in data["users"]}
        if event["type"] == "presence" and "users" in data:
            self.present = {each["name"] for each in data["users"]}
        elif event["type"] == "presence":
            self.present |= {each["name"] for each in data["joined"]}
            self.present -= {each["name"] for each in data["left"]}

    async def come(self) -> None:
        if self._reading is not None:
            return
        if self.way == "sse":
            url = f"{self.server.url}/api/v1/threads/{self.thread_id}/events"
            opened = event_stream(self.server.session, url, self.client.token, self._cursor)
            stream = await self._open.enter_async_context(opened)
            await stream.begun()
            self._reading = asyncio.create_task(self._read_stream(stream))
            return
        socket = await self._open.enter_async_context(
            raw_client(self.server.session, self.server.websocket_url, self.client.token)
        )
        socket.ignores_own = True
        more = {"recover": True, **self._since} if self._since is not None else {}
        answer = await socket.subscribe(self.thread_id, **more)
        self._since = {"epoch": answer["epoch"], "offset": answer["offset"]}
        self._reading = asyncio.create_task(self._read_socket(socket))

    async def _read_socket(self, socket: RawClient) -> None:
        with contextlib.suppress(Disconnected, TimeoutError):
            while True:
                push = await socket.push()
                if "pub" in push:
                    self.apply(push["pub"]["data"])

    async def _read_stream(self, stream: Any) -> None:
        with contextlib.suppress(Disconnected, TimeoutError):
            while True:
                event = await stream.next()
                self._cursor = stream.last_id
                if event["event"] != "resync":
                    self.apply(orjson.loads(event["data"]))

    async def go(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])
            self._reading = None
        await self._open.aclose()
        self._open = AsyncExitStack()


@pytest.mark.parametrize("way", ["websocket", "sse"])
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(program=programs)
@example(program=[("come", 1), ("type", 1), ("away", 1), ("stop", 1), ("go", 1), ("back", 1)])
@example(program=[("come", 1), ("come", 2), ("away", 1), ("go", 1), ("back", 1), ("type", 2)])
async def test_who_listens_knows_who_is_there_and_who_types(server: Server, way: str, program: Any) -> None:
    people = [server.client(name) for name in ("ana", "bo", "cy")]
    ids = [(await who.me())["id"] for who in people]
    thread = await people[0].thread(members=[{"user_id": uid} for uid in ids[1:]])
    listeners = [Listener(server, who, thread["id"], way) for who in people]
    ana = listeners[0]
    await ana.come()
    for action, who in program:
        match action:
            case "come":
                await listeners[who].come()
            case "go":
                await listeners[who].go()
            case "type" | "stop":
                await people[who].post(f"/api/v1/threads/{thread['id']}/typing", typing=action == "type")
            case "say":
                await people[who].say(thread)
            case "away":
                await ana.go()
            case "back":
                await ana.come()
    await ana.come()
    audience = server.services.directory._threads[thread["id"]]._audience
    typing = audience._typing
    here = {name for name, each in zip(("Ana", "Bo", "Cy"), listeners, strict=True) if each._reading is not None}
    try:
        await until(lambda: {each.name for each in audience.people().values()} == here)
        await until(lambda: typing is None or not typing._pauses)
        expected = {each.name for each in typing._listed.values()} if typing is not None else set()
        await until(lambda: (ana.present or {"Ana"}, ana.typing) == (here, expected))
    finally:
        for each in listeners:
            await each.go()
