"""One stream over many threads: a single position is a cursor over all of them."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors import limits
from actors.identifiers import new_id
from server.realtime.sse.followed import FollowedThreads
from tests.realtime_client import PATIENCE, Disconnected, EventStream, event_stream, raw_client
from tests.serving import Client, Server

pytestmark = pytest.mark.usefixtures("few_and_crowd")


def url_of(server: Server, thread_ids: Sequence[str]) -> str:
    return f"{server.url}/api/v1/events?threads={','.join(thread_ids)}"


class Reader:
    """Reads a stream through cuts, and writes down what it got."""

    def __init__(self, server: Server, client: Client, thread_ids: Sequence[str]) -> None:
        self.server = server
        self.client = client
        self.url = url_of(server, thread_ids)
        self.cursor: str | None = None
        self.positions: list[int] = []
        self.offsets: dict[str, list[int]] = defaultdict(list)
        self.begun = asyncio.Event()

    async def read(self, count: int) -> None:
        """Take `count` events, then be gone."""
        async with event_stream(self.server.session, self.url, self.client.token, self.cursor) as stream:
            if self.cursor is None:
                await stream.begun()
                self.cursor = stream.last_id
                self.begun.set()
            for _ in range(count):
                await self._take(stream)
            stream.cut()

    async def _take(self, stream: EventStream) -> None:
        told = await stream.next()
        assert told["event"] != "resync", told["data"]
        self.cursor = told["id"]
        self.positions.append(int(told["id"].partition("-")[2]))
        event = orjson.loads(told["data"])
        self.offsets[event["thread_id"]].append(event["offset"])

    @property
    def count(self) -> int:
        return len(self.positions)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(cut_after=st.lists(st.integers(0, 25), max_size=8), width=st.integers(1, 10), turn=st.sampled_from([1, 3, 256]))
async def test_nothing_is_lost_and_nothing_comes_twice(
    server: Server, monkeypatch: pytest.MonkeyPatch, cut_after: list[int], width: int, turn: int
) -> None:
    """Several write at once, each into all threads, also commits that span many threads; cut anywhere, resumed."""
    monkeypatch.setattr(limits, "TURN_MESSAGES", turn)  # a turn may end in the middle of a commit
    writers = [server.client(name) for name in ("alice", "bob", "carol")]
    ids = [(await writer.me())["id"] for writer in writers]
    members = [{"user_id": user_id} for user_id in ids[1:]]
    threads = [(await writers[0].thread(members=members))["id"] for _ in range(width)]
    reader = Reader(server, writers[0], threads)
    each = 24 // len(threads) // 3 * 3 + 3
    total = len(writers) * each * len(threads)

    async def write(writer: Client) -> None:
        """What comes in one frame is one commit: in each thread several events, with those of others between."""
        await reader.begun.wait()
        async with raw_client(server.session, server.websocket_url, writer.token) as client:
            rounds = [
                [
                    client.command("publish", channel=f"thread:{thread_id}", data={"content": "x"})
                    for thread_id in threads
                ]
                for _ in range(each)
            ]
            for first, *more in zip(rounds[::3], rounds[1::3], rounds[2::3], strict=True):
                commands = [*first, *more[0], *more[1]]
                await client.send(*commands)
                for command in commands:
                    assert "publish" in await client.reply(command["id"])

    async with asyncio.timeout(PATIENCE):
        writing = asyncio.gather(*map(write, writers))
        await reader.read(0)
        for count in cut_after:
            await reader.read(min(count, total - reader.count))
        await reader.read(total - reader.count)
        await writing
    assert all(before < after for before, after in pairwise(reader.positions))
    for thread_id in threads:
        assert reader.offsets[thread_id] == list(range(4, 4 + len(writers) * each))


async def test_a_commit_over_many_threads(server: Server, alice: Client, root: Client) -> None:
    """Deleting a user is one transaction with an event in every thread they were in."""
    him = server.client("bob")
    user = (await him.me())["id"]
    threads = [(await alice.thread(members=[{"user_id": user}]))["id"] for _ in range(20)]
    reader = Reader(server, alice, threads)
    await reader.read(0)
    reading = asyncio.create_task(reader.read(20))
    assert (await root.delete(f"/api/v1/users/{user}")).status == 200
    await reading
    assert reader.positions == list(range(reader.positions[0], reader.positions[0] + 20))
    assert all(reader.offsets[thread_id] == [3] for thread_id in threads)


async def test_one_s_own_threads(server: Server, alice: Client, bob: Client) -> None:
    """Without a choice: those that one is in, and nothing of others."""
    mine = [(await alice.thread())["id"] for _ in range(3)]
    his = await bob.thread()
    async with event_stream(server.session, f"{server.url}/api/v1/events", alice.token) as stream:
        await stream.begun()
        await bob.say(his, "not for her")
        for thread_id in mine:
            await alice.say(thread_id, "hers")
        told = [orjson.loads(event["data"])["thread_id"] for event in await stream.events(3)]
        assert told == mine


async def test_who_is_in_no_thread(server: Server, alice: Client) -> None:
    async with event_stream(server.session, f"{server.url}/api/v1/events", alice.token) as stream:
        await stream.begun()
        assert stream.last_id is not None


async def test_more_threads_than_a_stream_takes(server: Server, alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SSE_THREADS", 3)
    threads = [(await alice.thread())["id"] for _ in range(4)]
    answer = await alice.get("/api/v1/events", threads=",".join(threads))
    assert answer.status == 400
    assert answer.error["errors"] == {"threads": ["may be at most 3 threads; these are 4."]}
    repeated = ",".join([*threads[:3], *threads[:3]])
    async with event_stream(server.session, f"{server.url}/api/v1/events?threads={repeated}", alice.token) as stream:
        await stream.begun()
        await alice.say(threads[0])
        await alice.say(threads[1])
        assert [orjson.loads(event["data"])["offset"] for event in await stream.events(2)] == [2, 2]
    async with event_stream(server.session, f"{server.url}/api/v1/events", alice.token) as stream:
        await stream.begun()
        await alice.say(threads[3])  # among the last three in which something happened
        assert orjson.loads((await stream.next())["data"])["thread_id"] == threads[3]


@pytest.mark.parametrize("threads", ["nonsense", ",", "THREAD,", ",THREAD", "THREAD,nonsense", "THREAD;THREAD"])
async def test_lists_that_are_none(alice: Client, threads: str) -> None:
    thread = await alice.thread()
    answer = await alice.get("/api/v1/events", threads=threads.replace("THREAD", thread["id"]))
    assert (answer.status, list(answer.error["errors"])) == (400, ["threads"])


async def test_one_that_is_not_visible_refuses_all(alice: Client, bob: Client) -> None:
    mine, his = await alice.thread(), await bob.thread()
    for hidden in (his["id"], new_id()):
        answer = await alice.get("/api/v1/events", threads=f"{mine['id']},{hidden}")
        assert (answer.status, answer.error["code"]) == (404, "not_found")


@pytest.mark.parametrize("ahead", [True, False])
async def test_cursors_that_cannot_be_served(server: Server, alice: Client, ahead: bool) -> None:
    thread = await alice.thread()
    async with event_stream(server.session, url_of(server, [thread["id"]]), alice.token) as stream:
        await stream.begun()
        assert stream.last_id is not None
        epoch, _, position = stream.last_id.partition("-")
    cursor = f"{epoch}-{int(position) + 1}" if ahead else f"x{epoch}-{position}"
    async with event_stream(server.session, url_of(server, [thread["id"]]), alice.token, cursor) as stream:
        told = await stream.next()
        assert (told["event"], told["id"]) == ("resync", f"{epoch}-{position}")
        await alice.say(thread)
        assert (await stream.next())["id"] == f"{epoch}-{int(position) + 1}"


async def test_more_than_is_told(server: Server, alice: Client) -> None:
    """300 events over all threads, however they are spread; one more is a resync, never a part."""
    threads = [(await alice.thread())["id"] for _ in range(3)]
    url = url_of(server, threads)
    async with event_stream(server.session, url, alice.token) as stream:
        await stream.begun()
    await asyncio.gather(*(alice.say(threads[number % 3], str(number)) for number in range(300)))
    async with event_stream(server.session, url, alice.token, stream.last_id) as again:
        positions = [int(event["id"].partition("-")[2]) for event in await again.events(300)]
        assert positions == sorted(set(positions))
    await alice.say(threads[0])
    async with event_stream(server.session, url, alice.token, stream.last_id) as again:
        told = await again.next()
        assert (told["event"], told["id"]) == ("resync", f"{told['id'].partition('-')[0]}-{positions[-1] + 1}")


async def test_joining_in_the_middle_of_writes(server: Server, alice: Client) -> None:
    """Streams that begin at any moment: what they do not tell, their first cursor says they had."""
    threads = [(await alice.thread())["id"] for _ in range(4)]
    total = 120
    writing = asyncio.gather(*(alice.say(threads[number % 4], str(number)) for number in range(total)))

    async def join(reader: Reader) -> None:
        await reader.read(0)
        assert reader.cursor is not None
        start = int(reader.cursor.partition("-")[2])
        until = 4 + total
        while start < until and (not reader.positions or reader.positions[-1] < until):
            await reader.read(min(10, until - (reader.positions[-1] if reader.positions else start)))
        assert reader.positions == list(range(start + 1, until + 1))

    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*(join(Reader(server, alice, threads)) for _ in range(10)), writing)


async def test_events_of_a_thread_are_the_same_over_all_transports(server: Server, alice: Client, dial: Any) -> None:
    thread = await alice.thread()
    client = await dial(alice)
    await client.subscribe(thread["id"])
    single = f"{server.url}/api/v1/threads/{thread['id']}/events"
    async with (
        event_stream(server.session, single, alice.token) as one,
        event_stream(server.session, url_of(server, [thread["id"]]), alice.token) as many,
    ):
        await one.begun()
        await many.begun()
        message = await alice.say(
            thread, "Grüße 👋", metadata={"a": [1, {"b": None}]}, blocks=[{"type": "x-own", "y": 1}]
        )
        await alice.post(f"/api/v1/messages/{message['id']}/reactions", emoji="👍")
        for _ in range(2):
            pushed = (await client.push())["pub"]["data"]
            assert orjson.loads((await one.next())["data"]) == orjson.loads((await many.next())["data"]) == pushed
            (logged,) = (await alice.get(f"/api/v1/threads/{thread['id']}/log", after=str(pushed["offset"] - 1))).data[
                :1
            ]
            assert logged | {"data": None} == pushed | {"data": None}


async def test_a_thread_that_is_joined_while_the_stream_begins(
    server: Server, alice: Client, bob: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the threads were listed: it is over at once, as where a thread is joined later, and the next one has it."""
    him = {"user_id": (await bob.me())["id"]}
    await alice.thread(members=[him])
    joined: list[Any] = []
    must_see = FollowedThreads.must_see

    async def joining(followed: FollowedThreads) -> None:
        await must_see(followed)
        if not joined:
            joined.append(await alice.thread(members=[him]))

    monkeypatch.setattr(FollowedThreads, "must_see", joining)
    url = f"{server.url}/api/v1/events"
    async with event_stream(server.session, url, bob.token) as stream:
        with pytest.raises(Disconnected):
            raise AssertionError(f"told: {await stream.next()}")
    async with event_stream(server.session, url, bob.token) as stream:
        await stream.begun()
        await alice.say(joined[0], "for him")
        assert orjson.loads((await stream.next())["data"])["data"]["content"] == "for him"


async def test_threads_that_are_not_all_kept_in_memory(
    server: Server, alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = [(await alice.thread())["id"] for _ in range(30)]
    monkeypatch.setattr(limits, "THREADS_LIVE", 1)
    monkeypatch.setattr(limits, "THREADS_RETIRED_PER_START", 40)
    async with event_stream(server.session, url_of(server, threads), alice.token) as stream:
        await stream.begun()
        await alice.say({"id": threads[0]}, "the first")
        assert orjson.loads((await stream.next())["data"])["data"]["content"] == "the first"
