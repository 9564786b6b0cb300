"""An agent: answers every question in one thread with a streamed message, and stops when it is told to.

    python -m examples.agent http://127.0.0.1:8787 THREAD_ID API_KEY

It listens by WebSocket, with the official SDK, and writes each answer in one request, as its model yields it. The model
here is a fake that lives on this machine and yields words at 150 tokens a second; any that streams will do.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import centrifuge

TOKENS_PER_SECOND = 150
TOKENS = 300
TEXT = "people and agents share one thread and one log, so nobody misses a word"


async def fake_model(question: str) -> AsyncIterator[str]:
    """Two seconds of words."""
    yield f"You asked: {question} "
    words, begun = TEXT.split(), asyncio.get_running_loop().time()
    for number in range(TOKENS):
        due = begun + number / TOKENS_PER_SECOND
        await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
        yield f"{words[number % len(words)]} "


class Agent(centrifuge.SubscriptionEventHandler):
    def __init__(self, url: str, thread_id: str, key: str, session: aiohttp.ClientSession) -> None:
        self._url = f"{url}/api/v1/threads/{thread_id}/messages:stream"
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/x-ndjson"}
        self._session = session
        self._answers: set[asyncio.Task[None]] = set()

    async def on_publication(self, ctx: centrifuge.PublicationContext) -> None:
        event: Any = ctx.pub.data
        if event["type"] == "message.created" and event["actor"]["kind"] == "HUMAN":
            answer = asyncio.create_task(self._answer(event["data"]))
            self._answers.add(answer)
            answer.add_done_callback(self._answers.discard)

    async def _answer(self, question: dict[str, Any]) -> None:
        """One request; the server ends it when somebody stops the message."""
        body = self._pieces(question)
        async with self._session.post(self._url, data=body, headers=self._headers) as response:
            async for line in response.content:
                told = json.loads(line)
                if "message" in told:
                    message = told["message"]
                    print(f"agent: {message['status']}, {len(message['content'])} characters", flush=True)

    async def _pieces(self, question: dict[str, Any]) -> AsyncIterator[bytes]:
        yield json.dumps({"open": {"parent_id": question["id"]}}).encode() + b"\n"
        async for text in fake_model(question["content"]):
            yield json.dumps({"text": text}).encode() + b"\n"


async def main(url: str, thread_id: str, key: str) -> None:
    websocket = url.replace("http", "ws", 1) + "/connection/websocket"
    async with aiohttp.ClientSession() as session:
        client = centrifuge.Client(websocket, token=key)
        subscription = client.new_subscription(f"thread:{thread_id}", Agent(url, thread_id, key, session))
        await client.connect()
        await subscription.subscribe()
        await subscription.ready(timeout=20)
        print("agent: ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4]))
