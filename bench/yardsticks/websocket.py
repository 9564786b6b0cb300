"""Yardsticks A and D: aiohttp, `send_str` to each subscriber in a loop. python -m bench.yardsticks.websocket PORT"""

from aiohttp import WSMsgType, web

from bench.yardsticks.serving import run


def application() -> web.Application:
    """A frame `S` makes the socket a subscriber; any other goes to all subscribers; both are answered by `ok`."""
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

    made = web.Application()
    made.router.add_get("/connection/websocket", handle)
    return made


if __name__ == "__main__":
    run(application())
