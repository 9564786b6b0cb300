"""What the server has done stays in no object: their number does not grow with the messages."""

import gc
from collections import Counter
from pathlib import Path
from uuid import uuid4

from tests.serving import Client, Server, serving

MESSAGES = 80


async def used(server: Server, alice: Client, thread: str) -> None:
    """Each message by its own key, read, searched for, reacted to; and requests that are refused."""
    messages = f"/api/v1/threads/{thread}/messages"
    for number in range(MESSAGES):
        answer = await alice.post(messages, {"Idempotency-Key": uuid4().hex}, content=f"message {number}")
        assert answer.status == 201, answer.raw
        await alice.post(f"/api/v1/messages/{answer.data['id']}/reactions", emoji="👍")
        await alice.get(messages)
        await alice.get("/api/v1/search", q=f"message {number}")
        assert (await alice.get(f"/api/v1/messages/m{uuid4().hex}")).status == 404
        assert (await alice.get(f"/api/v1/{uuid4().hex}")).status == 404


def objects() -> Counter[type]:
    """Of the server: those of the clients in this process come and go."""
    gc.collect()
    kinds = (type(each) for each in gc.get_objects())
    ours = ("actors.", "server.", "storage.", "peewee")
    return Counter(kind for kind in kinds if str(kind.__module__).startswith(ours))  # it may be no text


async def test_objects_are_no_more_after_more_messages(tmp_path: Path) -> None:
    async with serving(tmp_path / "data") as server:
        alice = server.client("alice")
        thread = (await alice.thread())["id"]
        await used(server, alice, thread)
        before = objects()
        await used(server, alice, thread)
        more = objects() - before
    assert {kind: count for kind, count in more.items() if count > MESSAGES // 4} == {}
