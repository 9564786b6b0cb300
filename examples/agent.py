"""An agent: answers every question in one thread with a streamed message, and stops when it is stopped.

    python -m examples.agent http://127.0.0.1:8787 THREAD_ID API_KEY

It listens by WebSocket, with the official SDK, and writes each answer in one request, as its model yields it. The model
here is a fake that lives on this machine and yields words at 150 tokens a second; any that streams will do.

When the server goes away it comes back to it: the SDK reconnects, an answer that was cut is finished, and what was
asked meanwhile is answered.
"""

import asyncio
import json
import secrets
import sys
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import centrifuge

TOKENS_PER_SECOND = 150
TOKENS = 300
TEXT = "people and agents share one thread and one log, so nobody misses a word"
PAUSE_SECONDS = 0.5
"""Between two attempts to reach the server."""


async def fake_model(question: str) -> AsyncIterator[str]:
    """Two seconds of words."""
    yield f"You asked: {question} "
    words, begun = TEXT.split(), asyncio.get_running_loop().time()
    for number in range(TOKENS):
        due = begun + number / TOKENS_PER_SECOND
        await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
        yield f"{words[number % len(words)]} "


class Api:
    def __init__(self, session: aiohttp.ClientSession, url: str, key: str) -> None:
        self._session, self._url, self._headers = session, f"{url}/api/v1", {"Authorization": f"Bearer {key}"}

    async def call(self, method: str, path: str, **body: Any) -> Any:
        """Answers `data`, or None where the server refuses."""
        sent = body if method == "POST" else None
        async with self._session.request(method, self._url + path, json=sent, headers=self._headers) as response:
            return (await response.json()).get("data") if response.status < 400 else None

    async def write(self, thread_id: str, pieces: AsyncIterator[bytes]) -> Any:
        """One request whose body is the answer; answers the message as it ended, None where that was not heard."""
        path = f"{self._url}/threads/{thread_id}/messages:stream"
        headers = {**self._headers, "Content-Type": "application/x-ndjson"}
        async with self._session.post(path, data=pieces, headers=headers) as response:
            async for line in response.content:
                told = json.loads(line)
                if not told.get("success", True) or "message" in told or "error" in told:
                    return told.get("message") or told
        return None


class Answer:
    """To one question. Its id is made here, so that the message is found again after a connection was lost."""

    def __init__(self, api: Api, question: dict[str, Any]) -> None:
        self._api = api
        self._question = question
        self._id = "c" + secrets.token_hex(12)
        self._text = ""
        self._is_whole = False
        self._more = asyncio.Event()

    async def write(self) -> None:
        listening = asyncio.create_task(self._listen())
        try:
            message = await self._in_one_request() or await self._finish()
        finally:
            listening.cancel()
        if "status" in message:
            print(f"agent: {message['status']}, {len(message['content'])} characters", flush=True)
        else:
            print(f"agent: {message['error']['detail']}", flush=True)

    async def _listen(self) -> None:
        """To the model, also while the server is away."""
        async for text in fake_model(self._question["content"]):
            self._text += text
            self._more.set()
        self._is_whole = True
        self._more.set()

    async def _in_one_request(self) -> Any:
        try:
            return await self._api.write(self._question["thread_id"], self._pieces())
        except (aiohttp.ClientError, ValueError):
            return None

    async def _pieces(self) -> AsyncIterator[bytes]:
        opening = {"id": self._id, "parent_id": self._question["id"]}
        yield json.dumps({"open": opening}).encode() + b"\n"
        sent = 0
        while not (self._is_whole and sent == len(self._text)):
            if sent == len(self._text):
                await self._more.wait()
            self._more.clear()
            piece, sent = self._text[sent:], len(self._text)
            yield json.dumps({"text": piece}).encode() + b"\n"

    async def _finish(self) -> Any:
        """The connection was lost: write what is missing piece by piece, as soon as the server is there again."""
        while True:
            await asyncio.sleep(PAUSE_SECONDS)
            try:
                message = await self._api.call("GET", f"/messages/{self._id}")
                if message is None:  # it was never opened
                    return await self._api.write(self._question["thread_id"], self._pieces()) or {}
                if message["status"] != "STREAMING":  # somebody stopped it, or the server has
                    return message
                if await self._append(len(message["content"])):
                    return await self._api.call("POST", f"/messages/{self._id}/complete")
            except (aiohttp.ClientError, ValueError):
                continue

    async def _append(self, index: int) -> bool:
        """Answers whether all of it is there."""
        is_whole, piece = self._is_whole, self._text[index:]
        taken = await self._api.call("POST", f"/messages/{self._id}/append", text=piece, index=index)
        return is_whole and taken is not None


class Agent(centrifuge.SubscriptionEventHandler):
    def __init__(self, api: Api, thread_id: str) -> None:
        self._api = api
        self._thread_id = thread_id
        self._taken: set[str] = set()
        self._answers: set[asyncio.Task[None]] = set()

    async def on_subscribed(self, ctx: centrifuge.SubscribedContext) -> None:
        """At the start, and after each time that the connection was lost."""
        try:
            await self._catch_up()
        except aiohttp.ClientError as error:  # it went away again: there will be another time
            print(f"agent: {error}", flush=True)

    async def on_publication(self, ctx: centrifuge.PublicationContext) -> None:
        event: Any = ctx.pub.data
        if event["type"] == "message.created" and event["actor"]["kind"] == "HUMAN":
            self._take(event["data"])

    async def _catch_up(self) -> None:
        """Questions among the newest messages that no answer belongs to."""
        me = await self._api.call("GET", "/users/me")
        newest = await self._api.call("GET", f"/threads/{self._thread_id}/messages?limit=30") or []
        answered = {message["parent_id"] for message in newest if message["author"]["id"] == me["id"]}
        for message in reversed(newest):
            is_question = message["author"]["kind"] == "HUMAN" and not message["deleted_at"]
            if is_question and message["id"] not in answered:
                self._take(message)

    def _take(self, question: dict[str, Any]) -> None:
        if question["id"] in self._taken:
            return
        self._taken.add(question["id"])
        answer = asyncio.create_task(Answer(self._api, question).write())
        self._answers.add(answer)
        answer.add_done_callback(self._answers.discard)


async def main(url: str, thread_id: str, key: str) -> None:
    websocket = url.replace("http", "ws", 1) + "/connection/websocket"
    async with aiohttp.ClientSession() as session:
        client = centrifuge.Client(websocket, token=key)
        agent = Agent(Api(session, url, key), thread_id)
        subscription = client.new_subscription(f"thread:{thread_id}", agent)
        await client.connect()
        await subscription.subscribe()
        await subscription.ready(timeout=20)
        print("agent: ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4]))
