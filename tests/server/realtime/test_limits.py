"""How much one connection may ask for: told in time, and everything that was taken is answered."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from actors import limits
from server.limits.token_bucket import TokenBucket
from tests.realtime_client import PATIENCE, raw_client
from tests.server.realtime.conftest import Dial
from tests.serving import Client, Server, serving
from tests.tokens import token


@pytest.fixture
async def limited(tmp_path: Path) -> AsyncIterator[Server]:
    async with serving(tmp_path / "data", RATE_LIMITS="on") as server:
        yield server


async def test_more_than_a_burst_is_told_to_wait(limited: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "COMMANDS_PER_SECOND", 0.001)
    monkeypatch.setattr(limits, "COMMANDS_BURST", 5.0)
    async with raw_client(limited.session, limited.websocket_url, token("alice")) as client:
        answers = [await client.ask("ping") for _ in range(5)]
        assert ["error" in answer for answer in answers] == [False] * 4 + [True]
        assert answers[-1]["error"] == {"code": 111, "message": "too many requests", "temporary": True}
        for _ in range(200):
            await client.socket.send_str("{}")  # pongs are not counted
        assert (await client.ask("get_me"))["error"]["code"] == 111


async def test_after_a_while_it_goes_on(limited: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "COMMANDS_BURST", 2.0)
    async with raw_client(limited.session, limited.websocket_url, token("alice")) as client:
        async with asyncio.timeout(PATIENCE):
            while "error" not in await client.ask("ping"):
                pass
            while "error" in await client.ask("ping"):
                pass  # twenty a second come back


async def test_a_flood_ends_the_connection(limited: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "COMMANDS_PER_SECOND", 0.001)
    monkeypatch.setattr(limits, "REFUSALS_BEFORE_CLOSE", 300)
    async with raw_client(limited.session, limited.websocket_url, token("alice")) as client:
        for _ in range(10):
            await client.send(*(client.command("ping") for _ in range(100)))
        end = await client.closed()
        assert (end.code, end.reason) == (3013, "too many requests")
        refused = [message for message in client.inbox if "error" in message]
        assert len(refused) == 300


async def test_a_burst_now_and_then_is_no_flood(limited: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many are refused in all: as long as some are let through in between, it goes on."""
    monkeypatch.setattr(limits, "REFUSALS_BEFORE_CLOSE", 5)
    turns = itertools.cycle([True, False, False, False, False, False])
    monkeypatch.setattr(TokenBucket, "take", lambda bucket: next(turns))
    async with raw_client(limited.session, limited.websocket_url, token("alice")) as client:
        commands = [client.command("ping") for _ in range(60)]
        await client.send(*commands)
        answers = [await client.reply(command["id"]) for command in commands]
        assert sum("error" in answer for answer in answers) == 50


async def test_the_burst_as_it_is(limited: Server) -> None:
    async with raw_client(limited.session, limited.websocket_url, token("alice")) as client:
        commands = [client.command("ping") for _ in range(200)]
        await client.send(*commands)
        answers = [await client.reply(command["id"]) for command in commands]
        let_through = sum("ping" in answer for answer in answers)
        assert 99 <= let_through <= 110


async def test_without_limits_nothing_is_refused(dial: Dial, alice: Client) -> None:
    client = await dial(alice)
    commands = [client.command("ping") for _ in range(1_000)]
    await client.send(*commands)
    assert all(["ping" in await client.reply(command["id"]) for command in commands])


async def test_everything_in_flight_is_answered(dial: Dial, alice: Client) -> None:
    """More than may be unanswered at once, in many frames and in one: the rest waits in the socket."""
    thread = await alice.thread()
    client = await dial(alice)
    data = {"thread_id": thread["id"], "content": "x"}
    commands = [client.command("rpc", method="create_message", data=data) for _ in range(1_200)]
    for command in commands[:600]:
        await client.send(command)
    for start in range(600, 1_200, 300):
        await client.send(*commands[start : start + 300])
    answers = [await client.reply(command["id"]) for command in commands]
    assert sorted(answer["rpc"]["data"]["offset"] for answer in answers) == list(range(2, 1_202))


async def test_the_socket_is_not_read_while_too_much_is_unanswered(
    dial: Dial, alice: Client, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While commits stand still no more than the limit is taken; afterwards everything is answered."""
    monkeypatch.setattr(limits, "COMMANDS_PER_CONNECTION", 8)
    thread = await alice.thread()
    client = await dial(alice)
    journal = server.services.directory.journal
    most = 0
    append = journal.append

    def counted(command: object, reply: object = None) -> object:
        nonlocal most
        appended = append(command, reply)  # type: ignore[arg-type]
        most = max(most, journal.in_flight)
        return appended

    monkeypatch.setattr(journal, "append", counted)
    data = {"thread_id": thread["id"], "content": "x"}
    commands = [client.command("rpc", method="create_message", data=data) for _ in range(200)]
    for command in commands:
        await client.send(command)
    assert all(["rpc" in await client.reply(command["id"]) for command in commands])
    assert most <= 8
