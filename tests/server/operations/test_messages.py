"""Messages: written, listed both ways, edited, deleted, reacted to."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from actors import limits
from tests.serving import Client, Server, serving


async def test_everything_a_message_shows(alice: Client) -> None:
    thread = await alice.thread()
    blocks = [{"type": "text", "text": "Hi"}]
    answer = await alice.post(
        f"/api/v1/threads/{thread['id']}/messages", content="Hello", blocks=blocks, metadata={"a": [1, None]}
    )
    assert answer.status == 201
    message = answer.data
    assert answer.headers["Location"] == f"/api/v1/messages/{message['id']}"
    me = await alice.me()
    assert message["author"] == {"id": me["id"], "name": "Alice", "kind": "HUMAN", "avatar_url": None}
    shown = {key: message[key] for key in ("type", "content", "blocks", "metadata", "status", "offset", "version")}
    assert shown == {
        "type": "USER", "content": "Hello", "blocks": blocks, "metadata": {"a": [1, None]}, "status": "COMPLETE",
        "offset": 2, "version": 1,
    }  # fmt: skip
    assert (await alice.get(f"/api/v1/messages/{message['id']}")).data == message


async def test_pages_both_ways_hold_everything_once(alice: Client) -> None:
    thread = await alice.thread()
    path = f"/api/v1/threads/{thread['id']}/messages"
    said = [(await alice.say(thread, str(n)))["id"] for n in range(25)]
    assert await _walk(alice, path, limit="7") == said[::-1]
    assert await _walk(alice, path, limit="7", after="0") == said
    assert [m["id"] for m in (await alice.get(path, before=said[10], limit="3")).data] == said[7:10][::-1]
    assert [m["id"] for m in (await alice.get(path, after=said[10], limit="3")).data] == said[11:14]
    around = [m["id"] for m in (await alice.get(path, around=said[12], limit="5")).data]
    assert around == said[10:15][::-1]
    assert (await alice.get(path, before=said[1], after=said[2])).status == 422
    assert (await alice.get(path, limit="0")).status == 422
    assert (await alice.get(path, limit="101")).status == 422
    assert (await alice.get(path, cursor="nonsense")).status == 422


async def _walk(client: Client, path: str, **query: str) -> list[str]:
    found: list[str] = []
    while True:
        page = await client.get(path, **query)
        found += [message["id"] for message in page.data]
        cursor = page.metadata["pagination"]["next_cursor"]
        assert page.metadata["pagination"]["has_more"] == (cursor is not None)
        if cursor is None:
            return found
        query = {"limit": query["limit"], "cursor": cursor}


async def test_edits_keep_what_was_said(alice: Client, bob: Client) -> None:
    thread = await alice.thread(members=[{"user_id": (await bob.me())["id"]}])
    message = await alice.say(thread, "one")
    path = f"/api/v1/messages/{message['id']}"
    assert (await bob.patch(path, content="mine")).status == 403
    first = await alice.get(path)
    edited = await alice.patch(path, {"If-Match": first.headers["ETag"]}, content="two")
    assert edited.data["content"] == "two"
    assert edited.data["version"] == 2
    assert edited.data["edited_at"] is not None
    stale = await alice.put(path, {"If-Match": first.headers["ETag"]}, content="three")
    assert stale.status == 412
    assert stale.error["code"] == "stale_version"
    assert (await alice.patch(path, content="two")).data["version"] == 2, "nothing changed, so nothing was written"
    history = (await bob.get(f"{path}/history")).data
    assert [(r["version"], r["content"]) for r in history] == [(1, "one")]
    assert (await alice.get(path, {"If-None-Match": edited.headers["ETag"]})).status in (200, 304)
    again = await alice.get(path)
    assert (await alice.get(path, {"If-None-Match": again.headers["ETag"]})).status == 304


async def test_a_deleted_message_is_nowhere(alice: Client, bob: Client) -> None:
    thread = await alice.thread(members=[{"user_id": (await bob.me())["id"]}])
    message = await alice.say(thread, "the secret")
    await alice.patch(f"/api/v1/messages/{message['id']}", content="the secret again")
    await bob.post(f"/api/v1/messages/{message['id']}/reactions", emoji="👍")
    reply = await bob.say(thread, "a reply", parent_id=message["id"])
    assert (await bob.delete(f"/api/v1/messages/{message['id']}")).status == 403
    gone = (await alice.delete(f"/api/v1/messages/{message['id']}")).data
    assert (gone["content"], gone["blocks"], gone["reactions"]) == ("", None, [])
    assert gone["deleted_at"] is not None
    for path in (
        f"threads/{thread['id']}/messages",
        f"threads/{thread['id']}/log",
        f"messages/{message['id']}/history",
        "threads",
    ):
        assert b"secret" not in (await alice.get(f"/api/v1/{path}")).raw
    assert (await alice.get(f"/api/v1/messages/{reply['id']}")).data["parent_id"] == message["id"]
    assert (await alice.delete(f"/api/v1/messages/{message['id']}")).error["code"] == "message_deleted"
    assert (await bob.post(f"/api/v1/messages/{message['id']}/reactions", emoji="👍")).status == 409


async def test_reactions(alice: Client, bob: Client) -> None:
    thread = await alice.thread(members=[{"user_id": (await bob.me())["id"]}])
    message = await alice.say(thread)
    path = f"/api/v1/messages/{message['id']}/reactions"
    given = await bob.post(path, emoji=":thumbsup:")
    assert given.status == 201
    assert given.data["added"]
    assert [(g["emoji"], g["count"], g["reacted_by_me"]) for g in given.data["message"]["reactions"]] == [
        ("👍", 1, True)
    ]
    assert (await alice.put(f"{path}/👍")).data["message"]["reactions"][0]["count"] == 2
    assert (await alice.put(f"{path}/👍")).data["message"]["reactions"][0]["count"] == 2
    assert [(r["emoji"], r["user"]["name"]) for r in (await alice.get(path)).data] == [("👍", "Bob"), ("👍", "Alice")]
    taken = await bob.post(path, emoji="👍")
    assert taken.status == 200
    assert not taken.data["added"]
    assert (await alice.delete(f"{path}/👍")).data["message"]["reactions"] == []
    assert not (await alice.delete(f"{path}/👍")).data["added"]
    for wrong in ("", "x", "👍👍", ":no_such_emoji:", "<b>", "a" * 200):
        assert (await bob.post(path, emoji=wrong)).status == 422, wrong


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"content": ""}, "body"),
        ({"content": "é" * (limits.CONTENT_BYTES // 2 + 1)}, "content"),
        ({"content": "a\u0000b"}, "content"),
        ({"content": ["x"]}, "content"),
        ({"content": "x", "blocks": [{"type": "t"}] * 51}, "blocks"),
        ({"content": "x", "blocks": [{}]}, "blocks"),
        ({"content": "x", "metadata": {"k": "x" * 20_000}}, "metadata"),
        ({"content": "x", "metadata": []}, "metadata"),
        ({"content": "x", "type": "OTHER"}, "type"),
        ({"content": "x", "parent_id": "nope"}, "parent_id"),
        ({"content": "x", "id": 5}, "id"),
        ({"content": "x", "thread_id": "c" + "a" * 24}, "thread_id"),
    ],
)
async def test_what_a_message_may_not_be(alice: Client, body: dict[str, Any], field: str) -> None:
    thread = await alice.thread()
    answer = await alice.post(f"/api/v1/threads/{thread['id']}/messages", **body)
    assert answer.status == 422
    assert field in answer.error["errors"]


async def test_the_largest_message_fits_and_the_next_does_not(alice: Client) -> None:
    thread = await alice.thread()
    assert (await alice.say(thread, "é" * (limits.CONTENT_BYTES // 2)))["offset"] == 2
    answer = await alice.post(f"/api/v1/threads/{thread['id']}/messages", content="x" * (limits.BODY_BYTES + 1))
    assert answer.status == 413
    assert str(limits.BODY_BYTES) in answer.error["detail"]


async def test_an_id_of_the_client(alice: Client, bob: Client) -> None:
    thread = await alice.thread()
    mine = "c" + "0" * 23 + "1"
    assert (await alice.say(thread, "x", id=mine))["id"] == mine
    again = await alice.post(f"/api/v1/threads/{thread['id']}/messages", content="y", id=mine)
    assert again.status == 409
    assert again.error["code"] == "id_taken"


async def test_a_reply_into_another_thread(alice: Client) -> None:
    here, there = await alice.thread(), await alice.thread()
    message = await alice.say(there)
    answer = await alice.post(f"/api/v1/threads/{here['id']}/messages", content="x", parent_id=message["id"])
    assert answer.status == 404


async def test_retries_are_one_message(alice: Client, bob: Client) -> None:
    thread = await alice.thread(members=[{"user_id": (await bob.me())["id"]}])
    path = f"/api/v1/threads/{thread['id']}/messages"
    answers = await asyncio.gather(*(alice.post(path, {"Idempotency-Key": "k"}, content="x") for _ in range(20)))
    assert {answer.status for answer in answers} == {201}
    assert len({answer.data["id"] for answer in answers}) == 1
    other = await alice.post(path, {"Idempotency-Key": "k"}, content="y")
    assert (other.status, other.error["code"]) == (422, "idempotency_key_reused")
    assert (await bob.post(path, {"Idempotency-Key": "k"}, content="x")).data["id"] != answers[0].data["id"]
    assert len((await alice.get(path)).data) == 2
    for bad in ("", "x" * 256, "a\tb"):
        assert (await alice.post(path, {"Idempotency-Key": bad}, content="x")).status == 422


async def test_a_key_outlives_the_server(tmp_path: Path) -> None:
    seen = set()
    thread_id = ""
    for _ in range(2):
        async with serving(tmp_path / "data") as server:
            alice = server.client("alice")
            thread_id = thread_id or (await alice.thread())["id"]
            path = f"/api/v1/threads/{thread_id}/messages"
            seen.add((await alice.post(path, {"Idempotency-Key": "k"}, content="x")).data["id"])
    assert len(seen) == 1


async def test_system_messages_are_not_for_humans(server: Server, alice: Client) -> None:
    thread = await alice.thread()
    path = f"/api/v1/threads/{thread['id']}/messages"
    assert (await alice.post(path, content="x", type="SYSTEM")).status == 403
    bot = server.client("bot", kind="ASSISTANT")
    await alice.post(f"/api/v1/threads/{thread['id']}/members", user_id=(await bot.me())["id"])
    assert (await bot.say(thread, "I think"))["type"] == "ASSISTANT"
    assert (await bot.say(thread, "I know", type="SYSTEM"))["type"] == "SYSTEM"
