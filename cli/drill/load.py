"""Writers and subscribers of a drill. Writers send what was not acknowledged again, until it is."""

import asyncio
import contextlib
import itertools
import secrets
import time
from collections.abc import Coroutine
from typing import Any

from actors import limits
from cli.drill.book import Book, gaps
from cli.drill.scratch_server import DOMAIN, ScratchServer
from loadtest.api import Api, session
from loadtest.figures import Figures
from loadtest.marks import now
from loadtest.problems import Failed
from loadtest.subscriber import Subscriber


class Load:
    """Threads and subscribers stay over all faults; writers write while a fault happens."""

    def __init__(self, server: ScratchServer) -> None:
        self.book = Book()
        self.threads: list[str] = []
        self.subscribers: list[Subscriber] = []
        self._server = server
        self._http = session()
        self._token = _token(server)
        self._api = Api(self._http, server.url, self._token)
        self._names = itertools.count()
        self._run = secrets.token_hex(4)

    async def prepare(self) -> None:
        for number in range(limits.DRILL_THREADS):
            self.threads.append((await self._api.post("/threads", title=f"Drill {self._run} {number}"))["id"])
        self.subscribers = [
            Subscriber(self._api, self._run, self.threads, Figures(now())) for _ in range(limits.DRILL_SUBSCRIBERS)
        ]
        for subscriber in self.subscribers:
            await subscriber.start()

    @contextlib.asynccontextmanager
    async def writing(self) -> Any:
        """Write while inside; at the end every message that was begun is acknowledged."""
        stop = asyncio.Event()
        writers = [asyncio.create_task(self._write(number, stop)) for number in range(limits.DRILL_WRITERS)]
        try:
            yield
            stop.set()
            async with asyncio.timeout(limits.DRILL_WAIT_SECONDS):
                await asyncio.gather(*writers)
        finally:
            for writer in writers:
                writer.cancel()
            await asyncio.gather(*writers, return_exceptions=True)

    async def _write(self, number: int, stop: asyncio.Event) -> None:
        thread = self.threads[number % len(self.threads)]
        while not stop.is_set():
            content = f"{self._run}/{number}/{next(self._names)} ".ljust(limits.DRILL_CHARACTERS, "x")
            await self._until_acknowledged(number, thread, content)

    async def _until_acknowledged(self, number: int, thread: str, content: str) -> None:
        key = content.split(maxsplit=1)[0]
        while True:
            try:
                message = await self._post(number, thread, content, key)
            except Failed as error:
                self.book.refusals[error.code] += 1
                await asyncio.sleep(limits.DRILL_PAUSE_SECONDS)
            else:
                self.book.note(content, message["id"], message["offset"])
                return

    def _post(self, number: int, thread: str, content: str, key: str) -> Coroutine[Any, Any, Any]:
        if number % 2:
            subscriber = self.subscribers[number % len(self.subscribers)]
            return subscriber.rpc("create_message", key, thread_id=thread, content=content)
        return self._api.post(f"/threads/{thread}/messages", key, content=content)

    async def logs(self) -> tuple[list[tuple[str, str, int]], int]:
        """(content, id, offset) of all messages, and how many offsets are not in order."""
        messages: list[tuple[str, str, int]] = []
        wrong = 0
        for thread in self.threads:
            offsets: list[int] = []
            async for event in self._log(thread):
                offsets.append(event["offset"])
                if event["type"] == "message.created":
                    messages.append((event["data"]["content"], event["data"]["id"], event["data"]["offset"]))
            wrong += gaps(offsets)
        return messages, wrong

    async def _log(self, thread: str) -> Any:
        after = 0
        while page := await self._api.get(f"/threads/{thread}/log", after=str(after), limit="100"):
            for event in page:
                yield event
            after = page[-1]["offset"]

    async def behind(self) -> int:
        """Subscribers that have not got the newest event after a while."""
        heads = {thread: (await self._api.get(f"/threads/{thread}"))["offset"] for thread in self.threads}

        def late() -> int:
            return sum(any(True for _ in subscriber.behind(heads)) for subscriber in self.subscribers)

        end = now() + limits.LOAD_PATIENCE_SECONDS
        while late() and now() < end:  # noqa: ASYNC110 - another process decides
            await asyncio.sleep(limits.DRILL_PAUSE_SECONDS)
        return late()

    async def close(self) -> None:
        for subscriber in self.subscribers:
            await subscriber.close()
        await self._http.close()


def _token(server: ScratchServer) -> str:
    """Of one user, minted days ago: a clock that is set back does not make it one of the future."""
    from server.auth.token_minting import mint

    return mint(
        server.secret.encode(), sub="drill", email=f"drill@{DOMAIN}", name="Drill", domain=DOMAIN, role="USER",
        ttl_seconds=2 * limits.DRILL_TOKEN_SECONDS, now=time.time() - limits.DRILL_TOKEN_SECONDS,
    )  # fmt: skip
