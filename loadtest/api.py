"""REST as clients use it: keep-alive connections, JSON, a Bearer token."""

from collections.abc import Mapping
from typing import Any

import aiohttp
import orjson

from actors import limits
from loadtest.problems import Failed

ROOT = "/api/v1"


def session() -> aiohttp.ClientSession:
    """Without cookies, without a limit of connections: what waits, waits at the server."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=limits.LOAD_REQUEST_SECONDS),
    )


class Api:
    """Requests of one user. They raise `Failed`."""

    def __init__(self, http: aiohttp.ClientSession, url: str, token: str) -> None:
        self.http = http
        self.url = url.rstrip("/")
        self.token = token

    async def get(self, path: str, **query: str) -> Any:
        return await self.ask("GET", ROOT + path, params=query)

    async def post(self, path: str, key: str | None = None, **body: Any) -> Any:
        """With `key` as its idempotency key: sent twice, it is done once."""
        headers = {} if key is None else {"Idempotency-Key": key}
        return await self.ask("POST", ROOT + path, headers=headers, json=body)

    async def put(self, path: str, data: bytes) -> Any:
        return await self.ask("PUT", ROOT + path, data=data)

    async def delete(self, path: str) -> None:
        await self.ask("DELETE", ROOT + path)

    async def read(self, path: str) -> bytes:
        """The bytes of an answer that is not JSON."""
        return await self._send("GET", path, {})

    async def ask(self, method: str, path: str, headers: Mapping[str, str] | None = None, **options: Any) -> Any:
        """`data` of the answer."""
        raw = await self._send(method, path, headers or {}, **options)
        return orjson.loads(raw)["data"] if raw else None

    async def _send(self, method: str, path: str, headers: Mapping[str, str], **options: Any) -> bytes:
        sent = {"Authorization": f"Bearer {self.token}", **headers}
        try:
            async with self.http.request(method, self.url + path, headers=sent, **options) as answer:
                raw = await answer.read()
        except TimeoutError:
            raise Failed("no_answer") from None
        except (aiohttp.ClientError, OSError) as error:
            raise Failed("away", str(error)) from None
        if answer.status >= 400:
            raise _failure(answer.status, raw)
        return raw


def _failure(status: int, raw: bytes) -> Failed:
    try:
        error = orjson.loads(raw)["error"]
        return Failed(str(error["code"]), str(error["detail"]), status)
    except (ValueError, LookupError, TypeError):
        return Failed(f"http_{status}", "", status)
