"""A whole server for tests: in this process on a real socket, or as a process of its own."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from cli import settings
from cli.serving.assembly import running
from server.api.services import Services
from storage.database import FILE_NAME
from tests import cheap_passwords, forking, remembered_routes
from tests.prepared import prepare
from tests.tokens import SECRET, token, token_saying

remembered_routes.remember()
cheap_passwords.use()


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.raw)

    @property
    def data(self) -> Any:
        """What a success answers."""
        assert self.json["success"], self.json
        return self.json["data"]

    @property
    def error(self) -> Any:
        """What a failure answers."""
        assert not self.json["success"], self.json
        return self.json["error"]

    @property
    def metadata(self) -> Any:
        return self.json["metadata"]


class Client:
    """Somebody who uses the API: `await alice.post("/api/v1/threads", title="Hello")`."""

    def __init__(self, session: aiohttp.ClientSession, url: str, name: str, /, **claims: Any) -> None:
        self.session = session
        self.url = url
        self.name = name
        self.claims = claims
        self.token = token(name, **claims)

    def saying(self, **claims: Any) -> "Client":
        """Somebody whose token has these claims, whatever they are."""
        client = Client(self.session, self.url, self.name)
        client.token = token_saying(**claims)
        return client

    def again(self) -> "Client":
        """The same person, with another token."""
        return Client(self.session, self.url, self.name, **self.claims)

    async def request(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **options: Any
    ) -> Answer:
        sent = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        async with self.session.request(method, self.url + path, headers=sent, **options) as response:
            return Answer(response.status, response.headers, await response.read())

    async def get(self, path: str, headers: Mapping[str, str] | None = None, **query: Any) -> Answer:
        return await self.request("GET", path, headers=headers, params=query)

    async def post(self, path: str, headers: Mapping[str, str] | None = None, **body: Any) -> Answer:
        return await self.request("POST", path, headers=headers, json=body)

    async def patch(self, path: str, headers: Mapping[str, str] | None = None, **body: Any) -> Answer:
        return await self.request("PATCH", path, headers=headers, json=body)

    async def put(self, path: str, headers: Mapping[str, str] | None = None, **body: Any) -> Answer:
        return await self.request("PUT", path, headers=headers, json=body)

    async def delete(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        return await self.request("DELETE", path, headers=headers)

    async def me(self) -> Any:
        return (await self.get("/api/v1/users/me")).data

    async def thread(self, title: str = "A thread", **more: Any) -> Any:
        """Open a thread."""
        return (await self.post("/api/v1/threads", title=title, **more)).data

    async def say(self, thread: Any, content: str = "Hello", **more: Any) -> Any:
        """Post a message; answers it."""
        thread_id = thread if isinstance(thread, str) else thread["id"]
        return (await self.post(f"/api/v1/threads/{thread_id}/messages", content=content, **more)).data


class Server:
    """A running server, and clients of it."""

    def __init__(self, url: str, session: aiohttp.ClientSession, services: Services | None = None) -> None:
        self.url = url
        self.session = session
        self._services = services

    @property
    def services(self) -> Services:
        """Its inside, where it runs in this process."""
        assert self._services is not None
        return self._services

    def client(self, name: str, /, **claims: Any) -> Client:
        return Client(self.session, self.url, name, **claims)

    @property
    def websocket_url(self) -> str:
        return self.url.replace("http", "ws", 1) + "/connection/websocket"


def load_settings(data_dir: Path, **more: str) -> settings.Settings:
    """Without fsync: no test cuts the power, and a busy disk takes its time for each commit."""
    chosen = {"JWT_SECRET": SECRET.decode(), "RATE_LIMITS": "off", "HOST": "127.0.0.1", "PORT": "0"}
    found = settings.load({}, chosen | {"DATA_DIR": str(data_dir)} | more)
    return replace(found, values={**found.values, "synchronous": "OFF"})


@asynccontextmanager
async def serving(data_dir: Path, **more: str) -> AsyncIterator[Server]:
    """A server in this process, on a free port, with settings given by the names of environment variables.

    Without previews, unless they are asked for: what is made in the background changes what a test looks at.
    """
    more.setdefault("PREVIEWS", "off")
    prepare(data_dir / FILE_NAME)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with (
            running(load_settings(data_dir, **more), listener) as services,
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
        ):
            yield Server(url, session, services)


class ServerProcess:
    """`xp serve` as a process of its own, on a data folder."""

    def __init__(self, data_dir: Path, **more: str) -> None:
        self.data_dir = data_dir
        self.port = int(more.pop("PORT", "0")) or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = data_dir.with_name(f"{data_dir.name}.log")
        self.settings = {
            "JWT_SECRET": SECRET.decode(), "RATE_LIMITS": "off", "PREVIEWS": "off", "DATA_DIR": str(data_dir),
            "PORT": str(self.port), **more,
        }  # fmt: skip
        self.process: asyncio.subprocess.Process | forking.Forked | None = None

    async def start(self, *, wait: bool = True, forked: bool = True) -> None:
        """Not `forked`: as a program that imports all it needs and makes its database, which takes some seconds."""
        if forked:
            with contextlib.suppress(OSError):  # a folder that cannot be made is for the server to refuse
                prepare(self.data_dir / FILE_NAME)
        environment = {**os.environ, **self.settings}
        with self.log.open("ab") as log:
            if forked and forking.is_possible():
                self.process = await forking.fork(["serve"], environment, log)
            else:
                self.process = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "cli.main", "serve", env=environment, stdout=log, stderr=log
                )
        if wait:
            await self.ready()

    async def ready(self, seconds: float = 60.0) -> None:
        """Wait until it answers."""
        assert self.process is not None
        async with asyncio.timeout(seconds), aiohttp.ClientSession() as session:
            while True:
                assert self.process.returncode is None, self.log.read_text()
                try:
                    async with session.get(f"{self.url}/health/ready") as response:
                        if response.status == 200:
                            return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.02)  # between two looks at another process

    def kill(self) -> None:
        """As a power cut would end it."""
        assert self.process is not None
        self.process.kill()

    async def ended(self, seconds: float = 40.0) -> int:
        assert self.process is not None
        async with asyncio.timeout(seconds):
            return await self.process.wait()

    async def stop(self) -> int:
        """End it in order; answers its exit code."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        return await self.ended()

    @property
    def websocket_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/connection/websocket"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
