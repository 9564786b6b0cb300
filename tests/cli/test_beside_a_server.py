"""What the terminal takes away, a running server takes away: what is open is closed at once, and stays closed."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.cli.conftest import Ran, Xp
from tests.realtime_client import PATIENCE, raw_client
from tests.serving import Client, ServerProcess

INVALID_TOKEN, EXPIRED = 3500, 3005

Run = Callable[..., Coroutine[Any, Any, Ran]]


@pytest.fixture
async def process(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    process = ServerProcess(tmp_path / "data")
    await process.start()
    yield process
    assert await process.stop() == 0


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def run(process: ServerProcess, xp: Xp) -> Run:
    """`await run("user", "list")`, beside the server."""

    async def run(*arguments: object) -> Ran:
        return await asyncio.to_thread(xp, *arguments, PORT=str(process.port))

    return run


@pytest.fixture
async def alice(process: ServerProcess, session: aiohttp.ClientSession) -> Client:
    alice = Client(session, process.url, "alice", role=None)
    await alice.me()
    return alice


async def login(alice: Client, run: Run) -> Client:
    """The same user in a session, by a link from the terminal."""
    link = (await run("user", "link", "alice@rpotential.ai", "--json")).json["link"]
    answer = await alice.request("POST", "/api/v1/auth/login", headers={"Authorization": ""}, json={"link": link})
    found = Client(alice.session, alice.url, "alice")
    found.token = answer.data["access_token"]
    return found


async def session_id(client: Client) -> str:
    return str((await client.get("/api/v1/auth/verify")).data["session_id"])


async def closed_by(run: Run, process: ServerProcess, client: Client, *words: object) -> int | None:
    """The code with which a WebSocket is closed that was open by a client's token when the command ran."""
    async with raw_client(client.session, process.websocket_url, client.token) as socket:
        ran, end = await asyncio.gather(run(*words), socket.closed())
        assert ran.code == 0, ran
        return end.code


async def status_of(client: Client) -> int:
    return (await client.get("/api/v1/users/me")).status


async def test_a_token(run: Run, process: ServerProcess, alice: Client) -> None:
    assert await closed_by(run, process, alice, "token", "revoke", alice.token) == INVALID_TOKEN
    assert await status_of(alice) == 401
    assert await status_of(Client(alice.session, alice.url, "alice")) == 200  # another one of hers is good


async def test_an_api_key(run: Run, process: ServerProcess, alice: Client) -> None:
    made = (await run("key", "create", "alice@rpotential.ai", "--name", "bot", "--json")).json
    bot = Client(alice.session, alice.url, "bot")
    bot.token = made["key"]
    assert await status_of(bot) == 200
    assert await closed_by(run, process, bot, "key", "revoke", made["id"]) == INVALID_TOKEN
    assert await status_of(bot) == 401
    assert await status_of(alice) == 200


async def test_a_session(run: Run, process: ServerProcess, alice: Client) -> None:
    one, other = await login(alice, run), await login(alice, run)
    assert await closed_by(run, process, one, "session", "end", await session_id(one)) == INVALID_TOKEN
    assert [await status_of(client) for client in (one, other, alice)] == [401, 200, 200]
    assert await closed_by(run, process, other, "session", "end-all", "alice@rpotential.ai") == INVALID_TOKEN
    assert await status_of(other) == 401


async def test_a_role(run: Run, process: ServerProcess, alice: Client) -> None:
    """Closed so that the client comes back: with the rights that it has now."""
    assert (await run("user", "create", "root@rpotential.ai", "--role", "ADMIN")).code == 0  # one is to be left
    assert (await alice.get("/api/v1/admin/summary")).status == 403
    assert await closed_by(run, process, alice, "user", "set-role", "alice@rpotential.ai", "ADMIN") == EXPIRED
    assert (await alice.get("/api/v1/admin/summary")).status == 200
    assert await closed_by(run, process, alice, "user", "set-role", "alice@rpotential.ai", "USER") == EXPIRED
    assert (await alice.get("/api/v1/admin/summary")).status == 403


async def test_being_active(run: Run, process: ServerProcess, alice: Client) -> None:
    assert await closed_by(run, process, alice, "user", "deactivate", "alice@rpotential.ai") == INVALID_TOKEN
    assert await status_of(alice) == 401
    assert (await run("user", "activate", "alice@rpotential.ai")).code == 0
    async with asyncio.timeout(PATIENCE):
        while await status_of(alice) != 200:
            pass


async def test_being_there(run: Run, process: ServerProcess, alice: Client) -> None:
    """With what they wrote: their thread's subscribers see each message go."""
    bob = Client(alice.session, alice.url, "bob")
    thread = await bob.thread(members=[{"user_id": (await alice.me())["id"]}])
    written = [(await alice.say(thread, f"{n}"))["id"] for n in range(3)]
    kept = (await bob.say(thread, "mine"))["id"]
    async with raw_client(bob.session, process.websocket_url, bob.token) as socket:
        await socket.subscribe(thread["id"])
        words = ("user", "delete", "alice@rpotential.ai", "--content", "remove", "--yes")
        assert await closed_by(run, process, alice, *words) == INVALID_TOKEN
        told = [item["data"] for item in await socket.publications(1 + len(written))]
    assert told[0]["type"] == "member.removed"
    assert [event["data"]["id"] for event in told[1:]] == written
    assert {event["type"] for event in told[1:]} == {"message.deleted"}
    shown = (await bob.get(f"/api/v1/messages/{kept}")).data
    assert shown["content"] == "mine"
    assert await status_of(alice) == 401
    assert (await run("db", "check")).code == 0


async def test_the_first_administrator_comes_in_by_the_printed_command(run: Run, process: ServerProcess) -> None:
    assert (await run("user", "create", "ana@rpotential.ai", "--role", "ADMIN")).code == 0
    printed = (await run("user", "link", "ana@rpotential.ai")).out
    curl = printed[printed.index("curl") : printed.index("'\n\n", printed.index("curl")) + 1]
    done = await asyncio.to_thread(
        subprocess.run, ["bash", "-c", curl], capture_output=True, text=True, timeout=30, check=True
    )
    answer = json.loads(done.stdout)
    assert answer["success"], answer
    assert (answer["data"]["user"]["email"], answer["data"]["user"]["role"]) == ("ana@rpotential.ai", "ADMIN")
    found = (await run("token", "inspect", answer["data"]["access_token"], "--json")).json
    assert (found["kind"], found["verified"]) == ("session", True)
    (listed,) = (await run("session", "list", "--json")).json
    assert listed["method"] == "LINK"


async def test_the_chain_holds_whoever_writes(run: Run, process: ServerProcess, alice: Client) -> None:
    """The server and the terminal write into one audit log."""
    for _ in range(3):
        await login(alice, run)
    await asyncio.gather(
        *(alice.request("DELETE", "/api/v1/auth/sessions") for _ in range(3)),
        run("session", "end-all", "alice@rpotential.ai"),
    )
    verdict = (await run("audit", "verify", "--json")).json
    assert verdict["broken_at"] is None
    assert verdict["entries"] >= 7  # three links, three sign-ins, an end
    assert (await run("doctor")).code == 0
