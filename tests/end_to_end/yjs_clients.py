"""npm `yjs` with `y-websocket` as a process under Node that tests tell what to do."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests import node

SCRIPT = Path(__file__).with_name("yjs_clients.mjs")
PATIENCE = 30.0


class NodeClients:
    """`await clients.call("a", "insert", section=0, at=0, text="x")`. It ends with its standard input."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}

    async def call(self, client: str, what: str, **options: Any) -> Any:
        number = next(self._numbers)
        future = self._waiting[number] = asyncio.get_running_loop().create_future()
        assert self._process.stdin is not None
        line = {"call": number, "client": client, "do": what, **options}
        self._process.stdin.write(json.dumps(line).encode() + b"\n")
        async with asyncio.timeout(PATIENCE):
            return await future

    async def read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            told = json.loads(line)
            future = self._waiting.pop(told["call"])
            if "error" in told:
                future.set_exception(AssertionError(told["error"]))
            else:
                future.set_result(told["result"])


@asynccontextmanager
async def node_clients() -> AsyncIterator[NodeClients]:
    process = await asyncio.create_subprocess_exec(
        node.NODE, SCRIPT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    clients = NodeClients(process)
    reading = asyncio.get_running_loop().create_task(clients.read())
    try:
        yield clients
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()
        await reading
