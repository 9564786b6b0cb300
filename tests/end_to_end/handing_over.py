"""Servers that hand over to each other, and clients that must not notice."""

import asyncio
import os
import re
import select
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from storage.lock import holder
from tests import forking
from tests.realtime_client import Disconnected, raw_client
from tests.serving import Client, ServerProcess

PAUSE = 0.1
"""Seconds between two messages of a poster: with some dozens of them there is always one on its way."""


@dataclass
class Deployed:
    code: int
    said: str

    @property
    def sentence(self) -> str:
        assert self.code == 1, self
        return self.said.strip().splitlines()[-1].removeprefix("Error: ")


class Place:
    """A data folder, and the server processes that use it one after the other."""

    def __init__(self, process: ServerProcess) -> None:
        self.process = process
        self.logs: list[Path] = []
        """What each `xp deploy` has said so far."""
        self.operators: list[forking.Forked | asyncio.subprocess.Process] = []

    @property
    def pid(self) -> int:
        """Of the server that uses the folder now."""
        found = holder(self.process.data_dir)
        assert found, self.process.log.read_text()
        return found

    async def deploy(self, *arguments: str) -> Deployed:
        """`xp deploy`, to its end."""
        log_file = self.process.data_dir.with_name(f"deploy-{len(self.logs)}.log")
        self.logs.append(log_file)
        command = ["deploy", "--data-dir", str(self.process.data_dir), *arguments]
        with log_file.open("ab") as log:
            self.operators.append(await forking.start(command, os.environ, log))
        return Deployed(await self.operators[-1].wait(), log_file.read_text())

    async def end(self) -> None:
        """Stop the server that there is, in order."""
        while pid := holder(self.process.data_dir):
            gone = os.pidfd_open(pid)
            try:
                os.kill(pid, signal.SIGTERM)
                await asyncio.to_thread(select.select, [gone], [], [], 40)
            except ProcessLookupError:
                pass
            finally:
                os.close(gone)


@asynccontextmanager
async def place(tmp_path: Path, **more: str) -> AsyncIterator[Place]:
    process = ServerProcess(tmp_path / "data", **more)
    await process.start()
    found = Place(process)
    try:
        yield found
    finally:
        await found.end()


@dataclass
class Posters:
    """Post all the time, each over a connection of its own, and the next message soon after the last was answered."""

    alice: Client
    thread: str
    count: int
    retries: bool = False
    """Whether a connection that ends is no failure: they ask again by the same key."""
    posted: dict[str, int] = field(default_factory=dict)
    """Content → its offset in the log."""
    failed: list[object] = field(default_factory=list)
    _is_over: bool = False
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def posting(self) -> AsyncIterator[None]:
        tasks = [asyncio.ensure_future(self._post(f"poster {number}")) for number in range(self.count)]
        try:
            yield
        finally:
            self._is_over = True
            async with asyncio.timeout(60):
                await asyncio.gather(*tasks)

    async def more(self, count: int = 50) -> None:
        """Wait until so many more were posted."""
        goal = len(self.posted) + count
        async with asyncio.timeout(120):
            while len(self.posted) < goal and not self.failed:
                self._news.clear()
                await self._news.wait()
        assert self.failed == []

    async def _post(self, name: str) -> None:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session:
            client = Client(session, self.alice.url, self.alice.name)
            number = 0
            while not self._is_over:
                number += 1
                if not await self._say(client, f"{name}: {number}"):
                    return
                await asyncio.sleep(PAUSE)

    async def _say(self, client: Client, content: str) -> bool:
        while True:
            try:
                answer = await client.post(
                    f"/api/v1/threads/{self.thread}/messages", {"Idempotency-Key": content}, content=content
                )
            except (aiohttp.ClientError, OSError) as error:
                if self.retries:
                    await asyncio.sleep(0.01)  # the port may be gone for a moment
                    continue
                return self._fail((content, error))
            if answer.status != 201:
                return self._fail((content, answer.status, answer.raw))
            self.posted[content] = answer.data["offset"]
            self._news.set()
            return True

    def _fail(self, how: object) -> bool:
        self.failed.append(how)
        self._news.set()
        return False


class Reader:
    """A subscriber that comes back when it is asked to, from where it was."""

    def __init__(self, alice: Client, websocket_url: str, thread: str) -> None:
        self._alice = alice
        self._url = websocket_url
        self._thread = thread
        self.seen: list[tuple[int, str]] = []
        """(offset, content) of the messages, as they came."""
        self.codes: list[int | None] = []
        self._cursor: dict[str, Any] = {}

    async def read(self, until: Callable[[], bool]) -> None:
        while not until():
            try:
                await self._once(until)
            except Disconnected as end:
                self.codes.append(end.code)
            except (aiohttp.ClientError, OSError):
                await asyncio.sleep(0.01)  # the port may be gone for a moment

    async def _once(self, until: Callable[[], bool]) -> None:
        async with raw_client(self._alice.session, self._url, self._alice.token) as client:
            client.ignores_own = True
            answer = await client.subscribe(self._thread, **self._cursor)
            assert answer.get("recovered", not self._cursor), answer
            self._cursor = {"recover": True, "epoch": answer["epoch"], "offset": answer["offset"]}
            self._take(answer.get("publications", []))
            while not until():
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.2):
                        self._take([(await client.push())["pub"]])

    def _take(self, publications: Sequence[dict[str, Any]]) -> None:
        for publication in publications:
            if "offset" in publication:
                self._cursor["offset"] = publication["offset"]
                data = publication["data"]
                if data["type"] == "message.created":
                    self.seen.append((publication["offset"], data["data"]["content"]))


async def messages(alice: Client, thread: str) -> list[tuple[int, str]]:
    """(offset, content) of all messages of a thread."""
    found: list[tuple[int, str]] = []
    cursor: dict[str, str] = {}
    while True:
        page = await alice.get(f"/api/v1/threads/{thread}/messages", limit="100", **cursor)
        found += [(message["offset"], message["content"]) for message in page.data]
        if not page.metadata["pagination"]["has_more"]:
            return sorted(found)
        cursor = {"cursor": page.metadata["pagination"]["next_cursor"]}


def pid_in(said: str) -> int:
    (found,) = re.findall(r"^Pid (\d+) serves", said, re.MULTILINE)
    return int(found)
