"""Another process writes into the database of a running server: live subscribers are told, in order, whoever wrote."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, closing, contextmanager
from itertools import pairwise
from typing import Any

import aiohttp
import orjson
import pytest

from actors.auth.identity import Identity
from actors.errors import XpError
from actors.identifiers import new_id
from actors.resources.members import RemoveMember
from actors.resources.messages import PostMessage
from storage.database import FILE_NAME, DatabaseOptions
from storage.journal.store import JournalStore
from storage.resources.users import reading as users
from tests.realtime_client import PATIENCE, event_stream, raw_client
from tests.serving import Client, ServerProcess


@contextmanager
def other_process(server: ServerProcess, user_id: str) -> Iterator[tuple[JournalStore, Identity]]:
    """What an administrator's command does: writes with a journal store of its own."""
    store = JournalStore(DatabaseOptions(server.data_dir / FILE_NAME))
    store.open()
    with closing(store):
        with store.database.atomic():
            user = users.one(store.database, user_id)
        yield store, Identity(user, user.author, expires_at=0)


def write_beside(server: ServerProcess, user_id: str, threads: Sequence[str], count: int, together: int = 1) -> None:
    """`count` transactions of `together` messages, round the threads."""
    with other_process(server, user_id) as (store, identity):
        for number in range(count):
            batch = [
                PostMessage(
                    identity=identity,
                    thread_id=threads[(number + n) % len(threads)],
                    message_id=new_id(),
                    content="theirs",
                )
                for n in range(together)
            ]
            for outcome in store.apply(batch):
                assert not isinstance(outcome, XpError), outcome


@pytest.fixture
def alice(process: ServerProcess, session: aiohttp.ClientSession) -> Client:
    return Client(session, process.url, "alice")


@pytest.mark.parametrize("ours_between", [False, True])
async def test_what_another_process_writes_arrives(
    process: ServerProcess, session: aiohttp.ClientSession, alice: Client, ours_between: bool
) -> None:
    thread = await alice.thread()
    me = await alice.me()
    async with raw_client(session, process.websocket_url, alice.token) as client:
        await client.subscribe(thread["id"])
        count = 0
        for _ in range(2):
            await asyncio.to_thread(write_beside, process, me["id"], [thread["id"]], 5)
            count += 5
            if ours_between:
                await alice.say(thread, "ours")
                count += 1
        offsets = [item["offset"] for item in await client.publications(count)]
        assert offsets == list(range(2, 2 + count))


@pytest.mark.timeout(60)
async def test_both_write_at_once(process: ServerProcess, session: aiohttp.ClientSession, alice: Client) -> None:
    """Over every transport, and on a stream over many threads, where one position is the cursor over all."""
    me = await alice.me()
    threads = [(await alice.thread())["id"] for _ in range(3)]
    theirs, ours = 100 * 2, 3 * 100
    events = f"{process.url}/api/v1"
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(raw_client(session, process.websocket_url, alice.token))
        for thread_id in threads:
            await client.subscribe(thread_id)
        many = await stack.enter_async_context(
            event_stream(session, f"{events}/events?threads={','.join(threads)}", alice.token)
        )
        one = await stack.enter_async_context(
            event_stream(session, f"{events}/threads/{threads[0]}/events", alice.token)
        )
        await many.begun()
        await one.begun()

        async def write_ours(thread_id: str) -> None:
            for _ in range(100):
                await alice.say(thread_id, "ours")

        writing = asyncio.gather(
            asyncio.to_thread(write_beside, process, me["id"], threads, 100, 2), *map(write_ours, threads)
        )
        pushed: dict[str, list[int]] = defaultdict(list)
        for item in await client.publications(ours + theirs):
            pushed[item["data"]["thread_id"]].append(item["offset"])
        told = [await many.next() for _ in range(ours + theirs)]
        first = [orjson.loads((await one.next())["data"])["offset"] for _ in pushed[threads[0]]]
        await writing
    for thread_id in threads:
        assert pushed[thread_id] == list(range(2, 2 + len(pushed[thread_id])))
        of_many = [orjson.loads(event["data"]) for event in told]
        assert [e["offset"] for e in of_many if e["thread_id"] == thread_id] == pushed[thread_id]
    assert first == pushed[threads[0]]
    positions = [int(event["id"].partition("-")[2]) for event in told]
    assert all(before < after for before, after in pairwise(positions))


async def test_a_member_whom_another_process_removes(
    process: ServerProcess, session: aiohttp.ClientSession, alice: Client
) -> None:
    """Their connection is told, without anything of ours happening."""
    bob = Client(session, process.url, "bob")
    him, her = (await bob.me())["id"], (await alice.me())["id"]
    thread = await alice.thread(members=[{"user_id": him}])
    async with raw_client(session, process.websocket_url, bob.token) as client:
        client.ignores_own = True
        await client.subscribe(thread["id"])

        def remove() -> None:
            with other_process(process, her) as (store, identity):
                (outcome,) = store.apply([RemoveMember(identity=identity, thread_id=thread["id"], user_id=him)])
                assert not isinstance(outcome, XpError), outcome

        await asyncio.to_thread(remove)
        async with asyncio.timeout(PATIENCE):
            assert (await client.push())["pub"]["data"]["type"] == "member.removed"
            assert (await client.push())["unsubscribe"]["code"] == 2000
        await alice.say(thread, "not for him")
        await client.ask("ping")
        assert client.inbox == []


async def test_a_thread_that_is_not_live_meanwhile(
    process: ServerProcess, session: aiohttp.ClientSession, alice: Client
) -> None:
    """Written into while nobody listened: whoever comes then misses nothing."""
    me = await alice.me()
    thread = await alice.thread()
    for round_number in range(1, 6):
        writing = asyncio.to_thread(write_beside, process, me["id"], [thread["id"]], 5)
        async with raw_client(session, process.websocket_url, alice.token) as client:
            _, answer = await asyncio.gather(writing, client.subscribe(thread["id"], recover=True))
            seen: list[Any] = [item["offset"] for item in answer["publications"]]
            while seen[-1] < 1 + 5 * round_number:
                seen.append((await client.push())["pub"]["offset"])
            assert seen == list(range(1, 2 + 5 * round_number))
