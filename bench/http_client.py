"""HTTP/1.1 by hand: a keep-alive caller that costs next to nothing, and requests at leisure for setting things up."""

import asyncio
import json
import urllib.request
from collections.abc import Callable, Sequence
from typing import Any, cast

import orjson


class Caller(asyncio.Protocol):
    """One keep-alive connection that sends its next request when the last was answered."""

    transport: asyncio.Transport

    def __init__(self, requests: Callable[[], bytes]) -> None:
        self._requests = requests
        self._buffer = b""
        self.answered = 0
        self.stopped = False
        self.failure: bytes | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's are not of its class
        self.transport.write(self._requests())

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer = self._buffer + data if self._buffer else data
        end = buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        mark = buffer.find(b"Content-Length: ")
        size = int(buffer[mark + 16 : buffer.find(b"\r\n", mark)])
        if len(buffer) < end + 4 + size:
            return
        if not buffer.startswith(b"HTTP/1.1 2"):
            self.failure = buffer[:500]
            return
        self.answered += 1
        self._buffer = b""
        if not self.stopped:
            self.transport.write(self._requests())


def post_request(thread: str, token: str, content: str, **more: Any) -> bytes:
    body = orjson.dumps({"content": content, **more})
    return (
        b"POST /api/v1/threads/%b/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %b\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
        % (thread.encode(), token.encode(), len(body), body)
    )


def call(url: str, method: str, path: str, token: str, body: Any = None) -> Any:
    """One request, at leisure; answers `data`."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(url + path, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)["data"]


async def make_threads(url: str, count: int, token: str, readers: Sequence[str] = ()) -> list[str]:
    """Ids of new threads that the token's user owns; each has a member more, where there are tokens of readers."""

    def make() -> list[str]:
        made = []
        for n in range(count):
            members = [{"user_id": call(url, "GET", "/api/v1/auth/me", readers[n])["id"]}] if readers else []
            thread = {"title": f"Thread {n}", "members": members}
            made.append(call(url, "POST", "/api/v1/threads", token, thread)["id"])
        return made

    return await asyncio.to_thread(make)


async def add_members(url: str, thread: str, token: str, tokens: Sequence[str]) -> None:
    """Those whom the tokens belong to, by the owner of the thread, whose token is `token`."""

    def add() -> None:
        for member in tokens:
            user = call(url, "GET", "/api/v1/auth/me", member)["id"]
            call(url, "POST", f"/api/v1/threads/{thread}/members", token, {"user_id": user})

    await asyncio.to_thread(add)
