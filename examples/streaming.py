"""A question, an answer that streams to three viewers, and a Stop: all end with the same text.

    python -m examples.streaming

Starts a server of its own in a temporary folder and the agent of `examples/agent.py` as a process. One viewer stays,
one comes back twice while the answer streams, one joins late; then a second answer is stopped half-way. Exit code 0
where all saw the same.
"""

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import centrifuge

PATIENCE = 30.0


class Viewer(centrifuge.SubscriptionEventHandler):
    """Shows the newest answer: `text[:index] + delta`, and what `message.completed` says in the end."""

    def __init__(self, name: str, url: str, token: str, thread_id: str) -> None:
        self.name = name
        self.texts: dict[str, str] = {}
        self.ends: dict[str, str] = {}
        self._client = centrifuge.Client(url, token=token, min_reconnect_delay=0.01)
        self._subscription = self._client.new_subscription(f"thread:{thread_id}", self)
        self._news = asyncio.Event()

    async def on_publication(self, ctx: centrifuge.PublicationContext) -> None:
        event: Any = ctx.pub.data
        data = event["data"]
        if event["type"] == "message.delta":
            so_far = self.texts.get(data["message_id"], "")
            assert data["index"] <= len(so_far), f"{self.name} has a hole"
            self.texts[data["message_id"]] = so_far[: data["index"]] + data["text"]
        elif event["type"] == "message.completed":
            self.texts[data["id"]], self.ends[data["id"]] = data["content"], data["status"]
        self._news.set()

    async def come(self) -> None:
        await self._client.connect()
        await self._subscription.subscribe()
        await self._subscription.ready(timeout=PATIENCE)

    async def come_back(self) -> None:
        """Lose the connection; the SDK recovers what was missed."""
        await self._client.disconnect()
        await self._client.connect()
        await self._subscription.ready(timeout=PATIENCE)

    @property
    def reads(self) -> int:
        """How many characters of the newest answer it shows."""
        return len(list(self.texts.values())[-1]) if self.texts else 0

    async def until(self, condition: Any) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self._news.clear()
                await self._news.wait()

    async def go(self) -> None:
        await self._client.disconnect()


class Api:
    def __init__(self, session: aiohttp.ClientSession, url: str, token: str) -> None:
        self._session, self._url, self._headers = session, f"{url}/api/v1", {"Authorization": f"Bearer {token}"}

    async def post(self, path: str, **body: Any) -> Any:
        async with self._session.post(self._url + path, json=body, headers=self._headers) as response:
            answer = await response.json()
            assert answer["success"], answer["error"]
            return answer["data"]

    async def get(self, path: str) -> Any:
        async with self._session.get(self._url + path, headers=self._headers) as response:
            return (await response.json())["data"]


@asynccontextmanager
async def process(*arguments: str, ready: str, **environment: str) -> AsyncIterator[None]:
    """A Python program, until it has said that it is ready; ended with the block."""
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *arguments, stdout=subprocess.PIPE, env={**os.environ, **environment}
    )
    assert running.stdout is not None
    async with asyncio.timeout(PATIENCE):
        while ready not in (line := (await running.stdout.readline()).decode()):
            assert line, f"{arguments[0]} ended before it was ready"
    echo = asyncio.create_task(_echo(running.stdout))
    try:
        yield
    finally:
        running.terminate()
        await running.wait()
        await echo


async def _echo(output: asyncio.StreamReader) -> None:
    async for line in output:
        print(line.decode(), end="")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def minted(data: Path, name: str) -> str:
    """A token of the server's own secret, as `xp token mint` makes it."""
    claims = ["--sub", name, "--email", f"{name}@rpotential.ai", "--name", name.title(), "--role", "ADMIN"]
    command = [sys.executable, "-m", "cli.main", "token", "mint", *claims, "--data-dir", str(data)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


async def answered(viewers: list[Viewer], count: int) -> str:
    """Wait until every viewer has seen the end of the newest answer; answers its id."""
    for viewer in viewers:
        await viewer.until(lambda viewer=viewer: len(viewer.ends) >= count)
    return list(viewers[0].ends)[-1]


async def show(api: Api, thread_id: str, viewers: list[Viewer]) -> None:
    steady, restless, late = viewers
    await steady.come()
    await restless.come()

    await api.post(f"/threads/{thread_id}/messages", content="How does it work?")
    for enough in (200, 700):
        await restless.until(lambda enough=enough: restless.reads > enough)
        print(f"{restless.name}: goes at {restless.reads} characters, and comes back")
        await restless.come_back()
    await late.come()
    await late.until(lambda: late.reads)
    print(f"{late.name}: joins, and reads {late.reads} characters at once")
    first = await answered(viewers, 1)

    await api.post(f"/threads/{thread_id}/messages", content="And how does it stop?")
    await steady.until(lambda: any(len(text) > 300 for key, text in steady.texts.items() if key != first))
    second = next(key for key in steady.texts if key != first)
    print(f"{steady.name}: has read {steady.reads} characters, and says Stop")
    await api.post(f"/messages/{second}/cancel")
    assert await answered(viewers, 2) == second

    for message_id, status in ((first, "COMPLETE"), (second, "INTERRUPTED")):
        kept = await api.get(f"/messages/{message_id}")
        texts = {viewer.texts[message_id] for viewer in viewers} | {kept["content"]}
        assert texts == {kept["content"]}, "they differ"
        assert kept["status"] == status
        print(f"{status}: {len(kept['content'])} characters, the same for {len(viewers)} viewers and in the database")


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        data, port = Path(folder) / "data", free_port()
        url = f"http://127.0.0.1:{port}"
        settings = {"DATA_DIR": str(data), "PORT": str(port)}
        async with process("cli.main", "serve", ready="Serving", **settings), aiohttp.ClientSession() as session:
            token = minted(data, "ana")
            api = Api(session, url, token)
            bot = await api.post("/users", email="bot@rpotential.ai", name="Bot", kind="ASSISTANT")
            key = await api.post("/auth/api-keys", name="demo", user_id=bot["id"])
            thread = await api.post("/threads", title="Demo", members=[{"user_id": bot["id"]}])
            websocket = url.replace("http", "ws", 1) + "/connection/websocket"
            viewers = [Viewer(name, websocket, token, thread["id"]) for name in ("steady", "restless", "late")]
            async with process("examples.agent", url, thread["id"], key["key"], ready="ready"):
                await show(api, thread["id"], viewers)
            for viewer in viewers:
                await viewer.go()


if __name__ == "__main__":
    asyncio.run(main())
