"""Restarts under systemd's socket: what systemd does, done by this test. No connection is refused meanwhile."""

import asyncio
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import pytest

from actors.identifiers import new_id
from tests.serving import Client
from tests.tokens import SECRET

START = """
import os, sys
os.dup2(int(os.environ["PASSED"]), 3)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(sys.executable, [sys.executable, "-m", "cli.main", "serve"])
"""
"""As systemd passes a socket: the third file descriptor, meant for this process."""


def environment(data_dir: Path, passed: socket.socket, **more: str) -> dict[str, str]:
    chosen = {"JWT_SECRET": SECRET.decode(), "RATE_LIMITS": "off", "PREVIEWS": "off", "DATA_DIR": str(data_dir)}
    return {**os.environ, **chosen, "LISTEN_FDS": "1", "PASSED": str(passed.fileno()), **more}


async def start(data_dir: Path, passed: socket.socket, **more: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", START,
        env=environment(data_dir, passed, **more), pass_fds=[passed.fileno()],
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


@contextmanager
def reports() -> Iterator[tuple[str, socket.socket]]:
    """The address where systemd would hear that the service is ready, and its socket."""
    name = f"experience-{new_id()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as received:
        received.bind(f"\0{name}")
        received.setblocking(False)
        yield f"@{name}", received


async def next_report(received: socket.socket) -> str:
    async with asyncio.timeout(60):
        return (await asyncio.get_running_loop().sock_recv(received, 100)).decode()


async def test_connections_wait_while_the_server_restarts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=64) as passed, reports() as (address, received):
        url = f"http://127.0.0.1:{passed.getsockname()[1]}"
        async with aiohttp.ClientSession() as session:
            first = await start(tmp_path / "data", passed, NOTIFY_SOCKET=address)
            assert await next_report(received) == "READY=1"
            alice = Client(session, url, "alice")
            thread = await alice.thread()
            first.terminate()
            assert await next_report(received) == "STOPPING=1"
            _, log = await first.communicate()
            assert first.returncode == 0, log
            saying = [asyncio.ensure_future(alice.say(thread, str(number))) for number in range(20)]
            second = await start(tmp_path / "data", passed, NOTIFY_SOCKET=address)
            try:
                assert await next_report(received) == "READY=1"
                said = await asyncio.gather(*saying)
                assert {message["content"] for message in said} == set(map(str, range(20)))
            finally:
                second.terminate()
                await second.communicate()


@pytest.mark.parametrize(
    ("kind", "count", "sentence"),
    [
        (socket.SOCK_STREAM, "2", "Expected one socket from systemd, got 2"),
        (socket.SOCK_DGRAM, "1", "Expected a TCP socket from systemd: use ListenStream=ADDRESS:PORT."),
    ],
)
async def test_other_sockets_are_refused(tmp_path: Path, kind: socket.SocketKind, count: str, sentence: str) -> None:
    with socket.socket(socket.AF_INET, kind) as passed:
        passed.bind(("127.0.0.1", 0))
        process = await start(tmp_path / "data", passed, LISTEN_FDS=count)
        _, log = await process.communicate()
    assert (process.returncode, sentence in log.decode(), "Traceback" in log.decode()) == (1, True, False)


async def test_a_socket_that_is_meant_for_another_process_is_left_alone(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = str(taken.getsockname()[1])
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "cli.main", "serve", pass_fds=[taken.fileno()],
            env=environment(tmp_path / "data", taken, LISTEN_PID="1", PORT=port), stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        _, log = await process.communicate()
    assert f"Cannot listen on 127.0.0.1:{port}" in log.decode()
