"""The plain servers and the plain database that the server is compared with, each the least that could do the job.

python -m bench.yardsticks websocket PORT     A and D: aiohttp, `send_str` to each subscriber in a loop
python -m bench.yardsticks post PORT          B: aiohttp, a POST parsed by orjson, validated by pydantic
python -m bench.yardsticks sqlite FOLDER N    C: the server's rows in groups of 100, WAL, FULL; prints rows a second
"""

import asyncio
import signal
import sqlite3
import sys
import time
from pathlib import Path

import orjson
import uvloop
from aiohttp import WSMsgType, web
from pydantic import BaseModel, ConfigDict

GROUP = 100


class Message(BaseModel):
    model_config = ConfigDict(extra="forbid")

    content: str
    parent_id: str | None = None
    metadata: dict[str, object] | None = None


def websocket_application() -> web.Application:
    """A frame `S` makes the socket a subscriber; any other goes to all subscribers, and `ok` comes back."""
    subscribers: set[web.WebSocketResponse] = set()

    async def handle(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    break
                if message.data == "S":
                    subscribers.add(socket)
                else:
                    for subscriber in list(subscribers):
                        await subscriber.send_str(message.data)
                await socket.send_str("ok")
        finally:
            subscribers.discard(socket)
        return socket

    application = web.Application()
    application.router.add_get("/connection/websocket", handle)
    return application


def post_application() -> web.Application:
    async def handle(request: web.Request) -> web.Response:
        message = Message.model_validate(orjson.loads(await request.read()))
        answer = {"success": True, "data": {"id": request.match_info["id"], "content": message.content}}
        return web.Response(body=orjson.dumps(answer), status=201, content_type="application/json")

    application = web.Application()
    application.router.add_post("/api/v1/threads/{id}/messages", handle)
    return application


async def serve(application: web.Application, port: int) -> None:
    async def ready(_: web.Request) -> web.Response:
        return web.Response(text="ready")

    application.router.add_get("/ready", ready)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=4096).start()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()


def sqlite_rows(folder: Path, seconds: float) -> float:
    """Messages a second, with the rows that the server writes for each: message, event, thread, member."""
    from actors.identifiers import new_id
    from bench.filling import Filler

    filler = Filler(folder / "yardstick.db")
    threads = [filler.thread(f"Thread {number}") for number in range(100)]
    database = filler.database
    database.commit()
    position, offset, done = filler.position, 1, 0
    started = time.perf_counter()
    while time.perf_counter() - started < seconds:
        now = time.time_ns() // 1_000_000
        messages, events, heads, markers = [], [], [], []
        for number in range(GROUP):
            position += 1
            thread = threads[number % len(threads)]
            messages.append((position, new_id(), thread, filler.user, "USER", "x" * 200, "{}", offset + 1, offset, now))
            events.append((position, thread, offset + 1, "message.created", filler.user, now, position))
            heads.append((offset + 1, offset, position, position, thread))
            markers.append((offset + 1, offset, thread, filler.user))
        offset += 1
        with database:
            filler.insert(messages, events, heads, markers)
        done += GROUP
    rate = done / (time.perf_counter() - started)
    database.close()
    return rate


def main() -> None:
    name, argument = sys.argv[1:3]
    if name == "sqlite":
        print(sqlite_rows(Path(argument), float(sys.argv[3])))
        return
    application = {"websocket": websocket_application, "post": post_application}[name]()
    uvloop.run(serve(application, int(argument)))


if __name__ == "__main__":
    try:
        main()
    except sqlite3.Error as error:
        sys.exit(f"sqlite: {error}")
