"""Readers who stop, crawl, storm, loop or flood: each meets its limit, and the others get every event, in order."""

import asyncio
import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import orjson
import pytest

from actors import limits
from tests import realtime_client
from tests.carriers import CARRIERS, carrier_of
from tests.raw_socket import frame
from tests.server.operations.company import LAST
from tests.server.realtime.gauge import Gauge
from tests.server.realtime.raw_readers import RAW_KINDS, raw_reader
from tests.server.realtime.viewers import EVENTS, Viewer
from tests.server.realtime.waiting import connections, nothing_is_left, subscribers, until
from tests.serving import Client, Server, serving

LARGE = "x" * 60_000
MUCH = 200
"""Times LARGE: more than the kernel's buffers and all of ours take."""
CROWD = 500
UNCUT = [1_000_000]


class Others:
    """Who reads well, over either transport; `come` lets more of them in."""

    def __init__(self, viewers: list[Viewer], group: asyncio.TaskGroup) -> None:
        self.viewers = viewers
        self._group = group

    def come(self, viewer: Viewer) -> None:
        self._group.create_task(viewer.follow(UNCUT))

    @property
    def offset(self) -> int:
        """What all of them have got."""
        return min(viewer.fold.offset for viewer in self.viewers)


@asynccontextmanager
async def others_reading(server: Server, alice: Client, thread: Any) -> AsyncIterator[Others]:
    """In the end they have all there is, and of nobody is anything left."""
    viewers = [Viewer(server, alice, thread["id"], kind) for kind in ("websocket", EVENTS)]
    async with asyncio.TaskGroup() as group:
        others = Others(viewers, group)
        for viewer in viewers:
            await viewer.begin()
            others.come(viewer)
        await until(lambda: subscribers(server) == len(viewers))
        yield others
        assert (await alice.patch(f"/api/v1/threads/{thread['id']}", metadata=LAST)).status == 200
    await nothing_is_left(server)


@pytest.fixture
async def thread(alice: Client) -> Any:
    return await alice.thread()


@pytest.fixture
def room_for_a_crowd(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Files for both ends of each connection, and time: everything runs in one process, and all of them read as one
    user."""
    monkeypatch.setattr(realtime_client, "PATIENCE", 60.0)
    monkeypatch.setattr(limits, "READ_WAIT_SECONDS", 60.0)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4_096)), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
async def limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Server]:
    """It counts commands, and has little patience."""
    monkeypatch.setattr(limits, "COMMANDS_PER_SECOND", 0.001)
    monkeypatch.setattr(limits, "COMMANDS_BURST", 20.0)
    monkeypatch.setattr(limits, "REFUSALS_BEFORE_CLOSE", 100)
    async with serving(tmp_path / "limited", RATE_LIMITS="on") as server:
        yield server


@pytest.mark.parametrize("bytes_a_message", [0, 100], ids=["stops", "crawls"])
@pytest.mark.parametrize("kind", RAW_KINDS)
async def test_who_does_not_keep_up(
    server: Server, alice: Client, thread: Any, gauge: Gauge, kind: str, bytes_a_message: int
) -> None:
    async with others_reading(server, alice, thread) as others, raw_reader(kind, server.url, alice, thread) as reader:
        assert connections(server) == 3
        said = 0
        while not gauge.codes and said < MUCH:
            said += 1
            await alice.say(thread, LARGE)
            if bytes_a_message:
                await reader.reader.read(bytes_a_message)
        assert gauge.codes == [3008]
        await until(lambda: connections(server) == 2)
        await until(lambda: others.offset == said + 1)
        await reader.gone()
    assert gauge.most < 3 * limits.SEND_BUFFER_BYTES


@pytest.mark.parametrize("kind", ["websocket", EVENTS])
@pytest.mark.usefixtures("room_for_a_crowd")
async def test_five_hundred_who_come_back_at_once(
    server: Server, alice: Client, thread: Any, gauge: Gauge, kind: str
) -> None:
    crowd = [Viewer(server, alice, thread["id"], kind) for _ in range(CROWD)]
    async with others_reading(server, alice, thread) as others:
        for viewer in crowd:
            viewer.epoch = others.viewers[0].epoch
        await asyncio.gather(*(viewer.visit(1) for viewer in crowd))
        for number in range(5):
            await alice.say(thread, f"missed {number}")
        for viewer in crowd:
            others.come(viewer)
        for number in range(5):
            await alice.say(thread, f"said meanwhile {number}")
    assert {viewer.fold.offset for viewer in crowd} == {12}
    assert gauge.most < limits.SEND_BUFFER_BYTES
    assert gauge.codes == []


@pytest.mark.parametrize("carrier", CARRIERS)
async def test_who_subscribes_and_unsubscribes_in_a_loop(
    server: Server, alice: Client, thread: Any, gauge: Gauge, carrier: str
) -> None:
    """Others are told of it now and then, not each time."""
    channel = f"thread:{thread['id']}"
    async with (
        others_reading(server, alice, thread) as others,
        carrier_of(server.session, server.url, carrier) as open_,
    ):
        client = await open_(alice.token)
        for number in range(30):
            commands = [
                client.command(verb, channel=channel, **more)
                for _ in range(10)
                for verb, more in (("subscribe", {"recover": True, "join_leave": True}), ("unsubscribe", {}))
            ]
            await client.send(*commands)
            await alice.say(thread, str(number))
            assert subscribers(server) <= 3
            assert not any(["error" in await client.reply(command["id"]) for command in commands])
            client.inbox.clear()
        client.cut()
        assert max(viewer.passed["presence"] for viewer in others.viewers) < 30
    assert gauge.most < limits.SEND_BUFFER_BYTES


@pytest.mark.parametrize("carrier", CARRIERS)
async def test_who_floods(limited: Server, gauge: Gauge, carrier: str) -> None:
    """What is over the limit is refused, and nobody hears of it; who goes on is cut."""
    alice = limited.client("alice")
    thread = await alice.thread()
    channel = f"thread:{thread['id']}"
    async with (
        others_reading(limited, alice, thread) as others,
        carrier_of(limited.session, limited.url, carrier) as open_,
    ):
        client = await open_(alice.token)
        for _ in range(12):  # with connect 121: twenty are heard, a hundred refused, and one is too many
            await client.send(*(client.command("publish", channel=channel, data={"content": "x"}) for _ in range(10)))
        assert (await client.closed()).code == 3013
        refused = [message for message in client.inbox if "error" in message]
        assert [message["error"]["code"] for message in refused] == [111] * 100
        await until(lambda: others.offset == 20)
    assert gauge.codes == [3013]
    assert gauge.most < limits.SEND_BUFFER_BYTES


async def test_who_floods_and_does_not_read(server: Server, alice: Client, thread: Any, gauge: Gauge) -> None:
    """Without limits on commands: what it is owed ends it."""
    body = {"method": "create_message", "data": {"thread_id": thread["id"], "content": LARGE}}
    async with (
        others_reading(server, alice, thread) as others,
        raw_reader("websocket", server.url, alice, thread) as it,
    ):
        with suppress(ConnectionError):
            for number in range(MUCH):
                await it.send(frame(orjson.dumps({"id": number + 3, "rpc": body})))
        await until(lambda: connections(server) == 2)
        assert gauge.codes == [3008]
        thread = (await alice.get(f"/api/v1/threads/{thread['id']}")).data
        await until(lambda: others.offset == thread["offset"])
    assert gauge.most < 3 * limits.SEND_BUFFER_BYTES
