"""`xp deploy`: one server process hands over to the next, and no client has a request refused or a message lost."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.builders import until
from tests.end_to_end.handing_over import Place, Posters, Reader, messages, pid_in, place
from tests.end_to_end.test_socket_activation import reports
from tests.serving import Client

WITHOUT_IMPORTS = """
import json, os, signal, socket, sys
channel = socket.socket(fileno=int(os.environ["XP_HANDOVER"]))
def receive():
    return json.loads(socket.recv_fds(channel, 65536, 200)[0])
def send(**message):
    channel.send(json.dumps(message).encode())
hello = receive()
"""
"""A new process that says what a test wants, in place of a server."""

KILLED_BEFORE = f"{WITHOUT_IMPORTS}os.kill(os.getpid(), signal.SIGKILL)"
FAILS_BEFORE = f"{WITHOUT_IMPORTS}send(failed='PORT is 1 here.')"
KILLED_WITHIN = f"""{WITHOUT_IMPORTS}
send(ready=1, pid=os.getpid(), release="9.0.0", applied=[])
while "yours" not in receive():
    pass
os.kill(os.getpid(), signal.SIGKILL)
"""
FAILS_WITHIN = KILLED_WITHIN.replace("os.kill(os.getpid(), signal.SIGKILL)", "send(failed='the disk is gone.')")

KILLS_THE_OLD = """
import os, signal
from cli.main import main
from cli.serving.handover.channel import Channel
receive = Channel.receive
async def receive_and_kill(self):
    message, descriptors = await receive(self)
    if WHEN in message:
        os.kill(os.getppid(), signal.SIGKILL)
    return message, descriptors
Channel.receive = receive_and_kill
main(["serve"])
"""


@pytest.fixture
def systemd() -> Iterator[tuple[str, socket.socket]]:
    with reports() as found:
        yield found


@pytest.fixture
async def here(tmp_path: Path, systemd: tuple[str, socket.socket]) -> AsyncIterator[Place]:
    async with place(tmp_path, NOTIFY_SOCKET=systemd[0]) as found:
        yield found


def main_processes(systemd: tuple[str, socket.socket]) -> list[int]:
    """What systemd has been told so far."""
    found = []
    with contextlib.suppress(BlockingIOError):
        while True:
            name, _, value = systemd[1].recv(100).decode().partition("=")
            found += [int(value)] if name == "MAINPID" else []
    return found


@pytest.fixture
async def alice(here: Place) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        yield Client(session, here.process.url, "alice")


async def must_be_whole(alice: Client, posters: Posters) -> None:
    """Each message once, at the offset that was answered."""
    there = await messages(alice, posters.thread)
    assert there == sorted((offset, content) for content, offset in posters.posted.items())
    assert [offset for offset, _ in there] == list(range(there[0][0], there[0][0] + len(there)))


@pytest.mark.timeout(400)
async def test_nothing_is_refused_lost_or_doubled(
    here: Place, alice: Client, systemd: tuple[str, socket.socket]
) -> None:
    """There, back again, and with new processes that fail in between: 30 posters and 20 readers do not notice."""
    thread = (await alice.thread())["id"]
    posters = Posters(alice, thread, 30)
    readers = [Reader(alice, here.process.websocket_url, thread) for _ in range(20)]
    is_over = asyncio.Event()

    def has_all(reader: Reader) -> bool:
        return is_over.is_set() and len(reader.seen) >= len(posters.posted)

    async with asyncio.timeout(380), asyncio.TaskGroup() as reading:
        for reader in readers:
            reading.create_task(reader.read(lambda reader=reader: has_all(reader)))
        async with posters.posting():
            await posters.more()
            first = here.pid
            forth = await here.deploy()
            assert forth.code == 0, forth
            assert here.pid == pid_in(forth.said) != first
            await posters.more()
            for script, sentence in {
                KILLED_BEFORE: "The new server has ended, by SIGKILL; its output says why.",
                FAILS_BEFORE: "The new server refuses: PORT is 1 here.",
                KILLED_WITHIN: "The new server has ended, by SIGKILL; its output says why.",
                FAILS_WITHIN: "The new server refuses: the disk is gone.",
            }.items():
                failed = await here.deploy("--", sys.executable, "-c", script)
                assert failed.sentence == f"{sentence} The running server (pid {here.pid}) goes on."
                assert here.pid == pid_in(forth.said)
                await posters.more()
            back = await here.deploy("--rollback")
            assert back.code == 0, back
            assert here.pid == pid_in(back.said) not in (first, pid_in(forth.said))
            await posters.more()
        is_over.set()
    assert posters.failed == []
    assert main_processes(systemd) == [pid_in(forth.said), pid_in(back.said)]
    await must_be_whole(alice, posters)
    expected = sorted((offset, content) for content, offset in posters.posted.items())
    assert all(reader.seen == expected for reader in readers)
    assert {code for reader in readers for code in reader.codes} <= {3001, None, 1006}
    assert any(3001 in reader.codes for reader in readers)
    assert "Traceback" not in here.process.log.read_text()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("when", ["handover", "yours"])
async def test_the_old_process_is_killed(when: str, here: Place, alice: Client) -> None:
    """While the new one gets ready, or just as it may write: it serves, and clients that ask again lose nothing."""
    posters = Posters(alice, (await alice.thread())["id"], 10, retries=True)
    async with posters.posting():
        await posters.more()
        first = here.pid
        script = KILLS_THE_OLD.replace("WHEN", repr(when))
        told = await here.deploy("--", sys.executable, "-P", "-c", script)
        assert told.sentence.startswith("The server has ended meanwhile")
        await posters.more()
        assert here.pid != first
    await must_be_whole(alice, posters)


async def test_one_at_a_time_and_called_off_with_the_server(here: Place, alice: Client) -> None:
    waits = f"{WITHOUT_IMPORTS}receive()"
    first = asyncio.ensure_future(here.deploy("--", sys.executable, "-c", waits))
    await until(lambda: here.logs and "Started" in here.logs[0].read_text(), "the first one has begun")
    second = await here.deploy("--", "true")
    assert second.sentence.startswith("Another hand-over has been under way for ")
    here.operators[0].kill()  # or Ctrl-C: it is called off, and the next one may begin
    await first
    async with asyncio.timeout(30):
        while "Started" not in (again := await here.deploy("--", "true")).said:
            assert "under way" in again.said
    count = len(here.logs)
    first = asyncio.ensure_future(here.deploy("--", sys.executable, "-c", waits))
    await until(lambda: here.logs[count:] and "Started" in here.logs[-1].read_text(), "the last one has begun")
    os.kill(here.pid, signal.SIGTERM)
    assert "goes on" not in (await first).sentence
    assert here.process.process is not None
    assert await here.process.ended() == 0


async def test_what_an_operator_does_wrong(here: Place, tmp_path: Path) -> None:
    assert (await here.deploy("--rollback")).sentence.startswith("There is no server to go back to")
    assert (await here.deploy("--rollback", "true")).code == 2
    assert (await here.deploy("no-such-program")).sentence.startswith("no-such-program: there is no such program.")
    refused = await here.deploy("--", sys.executable, "-m", "cli.main", "serve", "--port", "1")
    assert f"PORT is 1 here and {here.process.port} in the running server" in refused.sentence
    await here.end()
    assert (await here.deploy()).sentence == (
        f"No server uses {here.process.data_dir}; start one with `xp serve`, or name another folder."
    )
