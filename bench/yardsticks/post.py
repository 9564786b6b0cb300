"""Yardstick B: aiohttp, a POST parsed by orjson, validated by pydantic. python -m bench.yardsticks.post PORT"""

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict

from bench.yardsticks.serving import run


class Message(BaseModel):
    model_config = ConfigDict(extra="forbid")

    content: str
    parent_id: str | None = None
    metadata: dict[str, object] | None = None


async def handle(request: web.Request) -> web.Response:
    message = Message.model_validate(orjson.loads(await request.read()))
    answer = {"success": True, "data": {"id": request.match_info["id"], "content": message.content}}
    return web.Response(body=orjson.dumps(answer), status=201, content_type="application/json")


def application() -> web.Application:
    made = web.Application()
    made.router.add_post("/api/v1/threads/{id}/messages", handle)
    return made


if __name__ == "__main__":
    run(application())
