"""What simulated users do. An action is given the moment at which it was due, and records what it measures by names of
its own; it raises `Failed`."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp

from loadtest.crowd import Crowd, Thread
from loadtest.marks import marked, now
from loadtest.problems import Failed
from loadtest.scenario import ActionName
from loadtest.subscriber import Subscriber

Action = Callable[[Crowd, float], Awaitable[None]]


async def post(crowd: Crowd, due: float) -> None:
    """A message over the WebSocket."""
    thread, member = _pick(crowd)
    await member.rpc("create_message", _key(crowd), thread_id=thread.id, content=_text(crowd, due))


async def post_rest(crowd: Crowd, due: float) -> None:
    """A message over REST."""
    thread, member = _pick(crowd)
    await member.api.post(f"/threads/{thread.id}/messages", content=_text(crowd, due))


async def page(crowd: Crowd, due: float) -> None:
    """The newest page of a thread."""
    thread, member = _pick(crowd)
    await member.api.get(f"/threads/{thread.id}/messages", limit="50")


async def threads(crowd: Crowd, due: float) -> None:
    """The list of one's threads."""
    await _pick(crowd)[1].api.get("/threads", limit="50")


async def read(crowd: Crowd, due: float) -> None:
    """Mark a thread as read."""
    thread, member = _pick(crowd)
    await member.rpc("mark_read", thread_id=thread.id)


async def react(crowd: Crowd, due: float) -> None:
    """React to one of the newest messages; where there is none yet, write one."""
    thread, member = _pick(crowd)
    found = await member.api.get(f"/threads/{thread.id}/messages", limit="10")
    if not found:
        await member.api.post(f"/threads/{thread.id}/messages", content=_text(crowd, due))
        return
    await member.api.post(f"/messages/{crowd.chance.choice(found)['id']}/reactions", emoji="👍")


async def search(crowd: Crowd, due: float) -> None:
    """Search messages for a word of theirs."""
    await _pick(crowd)[1].api.get("/search", q=crowd.run)


async def stream(crowd: Crowd, due: float) -> None:
    """An answer, streamed piece by piece at an even pace; `append` and `complete` are measured for themselves."""
    thread, member = _pick(crowd)
    answers = crowd.scenario.answers
    opened = await member.rpc("create_message", _key(crowd), thread_id=thread.id, status="STREAMING")
    crowd.figures.done("stream", due, now())
    began, index = now(), 0
    for number in range(answers.pieces):
        piece_due = began + number / answers.per_second
        await asyncio.sleep(max(0.0, piece_due - now()))
        text = marked(crowd.run, piece_due, answers.characters) if number == 0 else "x" * answers.characters
        await member.rpc("append_to_message", id=opened["id"], text=text, index=index)
        index += len(text)
        crowd.figures.done("append", piece_due, now())
    complete_due = now()
    await member.rpc("complete_message", _key(crowd), id=opened["id"])
    crowd.figures.done("complete", complete_due, now())


async def upload(crowd: Crowd, due: float) -> None:
    """A file by a form, read back and deleted; `download` is measured for itself."""
    thread, member = _pick(crowd)
    body = crowd.chance.randbytes(min(crowd.scenario.upload_bytes, 4096))
    body = (body * (crowd.scenario.upload_bytes // len(body) + 1))[: crowd.scenario.upload_bytes]
    form = aiohttp.FormData()
    form.add_field("thread_id", thread.id)
    form.add_field("file", body, filename=f"{crowd.run}.bin", content_type="application/octet-stream")
    file = await member.api.ask("POST", "/api/v1/files", data=form)
    crowd.figures.done("upload", due, now())
    began = now()
    if await member.api.read(file["url"]) != body:
        raise Failed("other_bytes")
    crowd.figures.done("download", began, now())
    await member.api.delete(f"/files/{file['id']}")


async def reconnect(crowd: Crowd, due: float) -> None:
    """A connection is cut, comes back, and recovers what it missed."""
    await crowd.chance.choice(crowd.subscribers).lose()


ACTIONS: dict[ActionName, Action] = {
    "post": post, "post_rest": post_rest, "page": page, "read": read, "react": react, "search": search,
    "threads": threads, "stream": stream, "upload": upload, "reconnect": reconnect,
}  # fmt: skip
MEASURE_THEMSELVES = {"stream", "upload"}


def _pick(crowd: Crowd) -> tuple[Thread, Subscriber]:
    thread = crowd.chance.choice(crowd.threads)
    return thread, crowd.chance.choice(thread.members)


def _text(crowd: Crowd, due: float) -> Any:
    return marked(crowd.run, due, crowd.scenario.characters)


def _key(crowd: Crowd) -> str:
    return f"{crowd.run}-{crowd.chance.getrandbits(64):x}"
