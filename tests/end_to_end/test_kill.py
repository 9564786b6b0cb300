"""Promises 1 to 3: killed at random moments under concurrent writers, again and again, on one data folder."""

import asyncio
import os
import random
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests import forking
from tests.realtime_client import Disconnected, raw_client
from tests.serving import Client, ServerProcess

CYCLES = 20
REST_WRITERS = 8
RPC_WRITERS = 4


@dataclass
class Book:
    """What clients were promised."""

    acknowledged: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Content → (id, offset) of the message that the server said it has."""
    unanswered: list[tuple[str, str]] = field(default_factory=list)
    """(thread, content) of requests whose answer never came."""

    def note(self, content: str, message: Any) -> None:
        known = self.acknowledged.setdefault(content, (message["id"], message["offset"]))
        assert known == (message["id"], message["offset"]), f"{content!r} was answered as two messages"


@pytest.mark.timeout(240)
async def test_killed_at_random_moments(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    server = ServerProcess(tmp_path / "data")
    chance = random.Random(20261123)
    book = Book()
    await server.start()
    alice = Client(session, server.url, "alice")
    threads = [(await alice.thread(f"Thread {n}"))["id"] for n in range(5)]
    for cycle in range(CYCLES):
        await _write_until_killed(server, session, alice, threads, book, cycle, chance)
        await server.start()
        await _retry(alice, book)
    assert len(book.acknowledged) > CYCLES * 10
    await _must_hold(alice, threads, book)
    assert await server.stop() == 0
    _must_be_gapless(tmp_path / "data" / "experience.db")
    await _must_pass_the_check(tmp_path / "data")


async def _write_until_killed(
    server: ServerProcess,
    session: aiohttp.ClientSession,
    alice: Client,
    threads: list[str],
    book: Book,
    cycle: int,
    chance: random.Random,
) -> None:
    enough = asyncio.Event()
    goal = len(book.acknowledged) + chance.randint(5, 250)

    def note(content: str, message: Any) -> None:
        book.note(content, message)
        if len(book.acknowledged) >= goal:
            enough.set()

    writers = [
        asyncio.create_task(_write_by_rest(alice, chance.choice(threads), f"{cycle}/rest{n}", book, note))
        for n in range(REST_WRITERS)
    ] + [
        asyncio.create_task(
            _write_by_rpc(server, session, alice.token, chance.choice(threads), f"{cycle}/rpc{n}", note)
        )
        for n in range(RPC_WRITERS)
    ]
    writers.append(asyncio.create_task(_change(alice, threads, book, chance)))
    async with asyncio.timeout(30):
        await enough.wait()
    await asyncio.sleep(chance.random() * 0.01)  # any moment of a commit
    server.kill()
    await server.ended()
    async with asyncio.timeout(30):
        await asyncio.gather(*writers)


async def _write_by_rest(alice: Client, thread: str, name: str, book: Book, note: Any) -> None:
    for number in range(100_000):
        content = f"{name}/{number}"
        try:
            answer = await _post(alice, thread, content)
        except (aiohttp.ClientError, OSError):
            book.unanswered.append((thread, content))
            return
        if answer.status == 201:
            note(content, answer.data)


async def _post(alice: Client, thread: str, content: str) -> Any:
    return await alice.post(f"/api/v1/threads/{thread}/messages", {"Idempotency-Key": content}, content=content)


async def _write_by_rpc(
    server: ServerProcess, session: aiohttp.ClientSession, token: str, thread: str, name: str, note: Any
) -> None:
    """Several at a time; those that were not answered are nobody's promise."""
    try:
        async with raw_client(session, server.websocket_url, token) as client:
            for number in range(0, 100_000, 10):
                contents = {number + n: f"{name}/{number + n}" for n in range(10)}
                commands = {
                    n: client.command("rpc", method="create_message", data={"thread_id": thread, "content": content})
                    for n, content in contents.items()
                }
                await client.send(*commands.values())
                for n, command in commands.items():
                    reply = await client.reply(command["id"])
                    if "rpc" in reply:
                        note(contents[n], reply["rpc"]["data"])
    except (aiohttp.ClientError, OSError, Disconnected):
        return


async def _change(alice: Client, threads: list[str], book: Book, chance: random.Random) -> None:
    """Other writes than messages: nobody keeps book of them, but what they leave behind must fit together."""
    while True:
        thread = f"/api/v1/threads/{chance.choice(threads)}"
        message_id = chance.choice([*book.acknowledged.values(), ("c" + "0" * 24, 0)])[0]
        try:
            me = (await alice.me())["id"]
            await alice.post(f"/api/v1/messages/{message_id}/reactions", emoji=chance.choice("👍🎉"))
            await alice.post(f"{thread}/read")
            await alice.patch(thread, title=f"Title {chance.random()}")
            await alice.patch(f"{thread}/members/{me}", muted=chance.random() < 0.5)
        except (aiohttp.ClientError, OSError):
            return


async def _retry(alice: Client, book: Book) -> None:
    """Whether or not the lost requests were done: with their keys they are done once."""
    unanswered, book.unanswered = book.unanswered, []
    for thread, content in unanswered:
        for answer in (await _post(alice, thread, content), await _post(alice, thread, content)):
            assert answer.status == 201
            book.note(content, answer.data)


async def _must_hold(alice: Client, threads: list[str], book: Book) -> None:
    found: dict[str, list[tuple[str, int]]] = {}
    for thread in threads:
        offsets: list[int] = []
        after = 0
        while True:
            page = await alice.get(f"/api/v1/threads/{thread}/log", after=str(after), limit="100")
            for event in page.data:
                offsets.append(event["offset"])
                if event["type"] == "message.created":
                    message = event["data"]
                    found.setdefault(message["content"], []).append((message["id"], message["offset"]))
            if page.metadata["pagination"]["next_cursor"] is None:
                break
            after = int(page.metadata["pagination"]["next_cursor"])
        assert offsets == list(range(1, len(offsets) + 1))
    lost = [content for content, known in book.acknowledged.items() if known not in found.get(content, [])]
    assert lost == []
    assert [content for content, times in found.items() if len(times) != 1] == []


def _must_be_gapless(path: Path) -> None:
    database = sqlite3.connect(path)
    try:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        (head,) = database.execute("SELECT position FROM log_head").fetchone()
        assert database.execute("SELECT min(position), max(position), count(*) FROM event").fetchone() == (
            1,
            head,
            head,
        )
        wrong = database.execute(
            'SELECT count(*) FROM thread t WHERE t."offset" != (SELECT count(*) FROM event e WHERE e.thread_id = t.id)'
            " OR t.message_count != (SELECT count(*) FROM message m WHERE m.thread_id = t.id)"
        ).fetchone()
        assert wrong == (0,)
    finally:
        database.close()


async def _must_pass_the_check(data_dir: Path) -> None:
    """`xp db check`, as an operator would ask after a power cut."""
    code, said = await forking.run(["db", "check", "--data-dir", str(data_dir)], os.environ)
    assert code == 0, said
    assert "checks passed" in said
