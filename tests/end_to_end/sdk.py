"""The official SDK for JavaScript, unchanged, as a process under Node that tests tell what to do."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests import node
from tests.tokens import token

SCRIPT = Path(__file__).with_name("sdk.mjs")
PATIENCE = 30.0
CARRIERS = {
    "websocket": ("websocket", "json"),
    "websocket in Protobuf": ("websocket", "protobuf"),
    "http_stream": ("http_stream", "json"),
    "http_stream in Protobuf": ("http_stream", "protobuf"),
    "sse": ("sse", "json"),
}


class SdkError(Exception):
    def __init__(self, code: int | None, message: str) -> None:
        super().__init__(f"{code} {message}")
        self.code = code


class SdkClient:
    """One client: `await client.call("rpc", method="get_me", data={})`. What happens to it is written down."""

    def __init__(self, sdk: "Sdk", name: str) -> None:
        self.name = name
        self.events: list[dict[str, Any]] = []
        self._sdk = sdk

    async def call(self, what: str, **options: Any) -> Any:
        return await self._sdk.call(self.name, what, options)

    def seen(self, event: str) -> list[dict[str, Any]]:
        return [told for told in self.events if told["event"] == event]

    @property
    def offsets(self) -> list[int]:
        return [told["offset"] for told in self.seen("publication") if told.get("offset")]  # else it is in no log

    async def until(self, condition: Callable[[], object]) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                while not condition():
                    await self._sdk.news()
        except TimeoutError:
            short = [{name: told for name, told in event.items() if name != "data"} for event in self.events[-20:]]
            raise AssertionError(f"{self.name}: {short}") from None

    async def has(self, event: str, count: int = 1) -> dict[str, Any]:
        """Wait for the so-manieth event of a kind; answers it."""
        await self.until(lambda: len(self.seen(event)) >= count)
        return self.seen(event)[count - 1]

    async def reaches(self, offset: int) -> None:
        await self.until(lambda: bool(self.offsets) and self.offsets[-1] >= offset)


class Sdk:
    """The process. It ends with its standard input, so it does not outlive the tests."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._clients: dict[str, SdkClient] = {}
        self._news = asyncio.Event()

    async def client(self, base: str, carrier: str, name: str = "alice", **options: Any) -> SdkClient:
        """A client over one transport of the server at `base`; `transports` names others."""
        kind, form = CARRIERS[carrier]
        client = self._clients[carrier] = SdkClient(self, carrier)
        chosen = {
            "form": form, "transports": [transport(base, kind)], "emulation": f"{base}/emulation",
            "token": token(name), "fresh": token(name),
        }  # fmt: skip
        await client.call("open", **chosen | options)
        return client

    async def call(self, client: str, what: str, options: dict[str, Any]) -> Any:
        number = next(self._numbers)
        waiting = self._waiting[number] = asyncio.get_running_loop().create_future()
        told = {"call": number, "client": client, "do": what, **options}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(told).encode() + b"\n")
        async with asyncio.timeout(2 * PATIENCE):
            return await waiting

    async def news(self) -> None:
        self._news.clear()
        await self._news.wait()

    async def read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            told = json.loads(line)
            if "event" in told:
                self._clients[told["client"]].events.append(told)
                self._news.set()
            elif "call" in told:
                self._answer(self._waiting.pop(told["call"]), told)

    @staticmethod
    def _answer(waiting: asyncio.Future[Any], told: dict[str, Any]) -> None:
        if waiting.done():
            return
        if "error" in told:
            waiting.set_exception(SdkError(told["error"]["code"], told["error"]["message"]))
        else:
            waiting.set_result(told["result"])


def transport(base: str, kind: str) -> dict[str, str]:
    base = base.replace("http", "ws", 1) if kind == "websocket" else base
    return {"transport": kind, "endpoint": f"{base}/connection/{kind}"}


@asynccontextmanager
async def running_sdk(log: Path) -> AsyncIterator[Sdk]:
    assert node.MODULES.is_dir(), "no tests/node_modules: `make tests/node_modules/.installed` makes it"
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            node.NODE, SCRIPT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=errors,
            limit=2**24,
        )  # fmt: skip
    sdk = Sdk(process)
    reading = asyncio.create_task(sdk.read())
    try:
        yield sdk
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()
        await reading
    assert not log.stat().st_size, f"see {log}"  # noqa: ASYNC240 - it is over
