"""A WebSocket that speaks the protocol of the SDKs, JSON frames: commands with their replies, and what is pushed."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, Self

import aiohttp
import orjson

from actors import limits
from loadtest.api import Api
from loadtest.problems import Failed

PATH = "/connection/websocket"
Push = dict[str, Any]


class Socket:
    """`on_push` is called with each push, in order. `ended` is set to the close code once it is closed."""

    def __init__(self, raw: aiohttp.ClientWebSocketResponse, on_push: Callable[[Push], object]) -> None:
        self._raw = raw
        self._on_push = on_push
        self._number = 0
        self.was_cut = False
        """By us, not by the server."""
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._at_once: dict[int, Callable[[Any], object]] = {}
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._reading = asyncio.ensure_future(self._read())

    @classmethod
    async def open(cls, api: Api, on_push: Callable[[Push], object]) -> Self:
        """Connected, with the token of `api`. Raises `Failed`."""
        url = api.url.replace("http", "ws", 1) + PATH
        try:
            raw = await api.http.ws_connect(url, max_msg_size=0)
        except TimeoutError:
            raise Failed("no_answer") from None
        except aiohttp.WSServerHandshakeError as error:
            raise Failed(f"http_{error.status}", status=error.status) from None
        except (aiohttp.ClientError, OSError) as error:
            raise Failed("away", str(error)) from None
        made = cls(raw, on_push)
        try:
            await made.ask("connect", token=api.token)
        except BaseException:
            await made.close()
            raise
        return made

    async def ask(self, verb: str, at_once: Callable[[Any], object] | None = None, **body: Any) -> Any:
        """The result of a command. `at_once` is called with it before any push that comes after it. Raises `Failed`."""
        self._number += 1
        number = self._number
        if at_once is not None:
            self._at_once[number] = lambda message: at_once(message[verb])
        reply = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            await self._send({"id": number, verb: body})
            async with asyncio.timeout(limits.LOAD_REQUEST_SECONDS):
                found = await reply
        except TimeoutError:
            raise Failed("no_answer") from None
        finally:
            self._waiting.pop(number, None)
            self._at_once.pop(number, None)
            reply.cancel()
        return found[verb]

    async def rpc(self, method: str, **data: Any) -> Any:
        """An operation by its name; answers its `data`."""
        return (await self.ask("rpc", method=method, data=data))["data"]

    async def _send(self, command: dict[str, Any]) -> None:
        try:
            await self._raw.send_str(orjson.dumps(command).decode())
        except (aiohttp.ClientError, OSError) as error:
            raise Failed("away", str(error)) from None

    async def _read(self) -> None:
        code = 1006
        try:
            async for frame in self._raw:
                if frame.type is aiohttp.WSMsgType.TEXT:
                    await self._take(frame.data)
        except (aiohttp.ClientError, OSError, Failed):
            pass
        finally:
            code = self._raw.close_code or code
            if not self.ended.done():
                self.ended.set_result(code)
            for reply in self._waiting.values():
                if not reply.done():
                    reply.set_exception(Failed(f"closed_{code}"))

    async def _take(self, lines: str) -> None:
        for line in lines.split("\n"):
            if line == "{}":
                await self._raw.send_str("{}")
                continue
            message = orjson.loads(line)
            if "push" in message:
                self._on_push(message["push"])
            else:
                self._answer(message)

    def _answer(self, message: dict[str, Any]) -> None:
        number = message.get("id", 0)
        reply = self._waiting.get(number)
        if reply is None or reply.done():
            return
        error = message.get("error")
        if error is None:
            self._at_once.get(number, lambda _: None)(message)
            reply.set_result(message)
        else:
            reply.set_exception(Failed(_code(error), str(error["message"])))

    def cut(self) -> None:
        """Be gone without a goodbye, as a phone in a tunnel."""
        self.was_cut = True
        connection = self._raw._response.connection
        if connection is not None and connection.transport is not None:
            connection.transport.abort()

    async def close(self) -> None:
        with contextlib.suppress(aiohttp.ClientError, OSError):
            await self._raw.close()
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)


def _code(error: dict[str, Any]) -> str:
    """The server's own code: the message of a refused operation is the problem that REST would have answered."""
    try:
        return str(orjson.loads(error["message"])["code"])
    except (ValueError, LookupError, TypeError):
        return f"error_{error['code']}"
