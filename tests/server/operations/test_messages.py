"""Messages: what they show, what they may hold, who writes and edits them, and what they said before."""

import asyncio
from typing import Any

import pytest

from actors import limits
from actors.identifiers import new_id
from tests.serving import Client, Server


async def test_everything_a_message_shows(alice: Client) -> None:
    thread = await alice.thread()
    parent = await alice.say(thread)
    blocks = [{"type": "x-text", "text": "Hi", "more": [1, None, {"a": 1.5}]}]
    answer = await alice.post(
        f"/api/v1/threads/{thread['id']}/messages", content="Hello", blocks=blocks, metadata={"a": [1, None]},
        parent_id=parent["id"],
    )  # fmt: skip
    assert answer.status == 201
    message = answer.data
    assert answer.headers["Location"] == f"/api/v1/messages/{message['id']}"
    me = await alice.me()
    assert message == {
        "id": message["id"], "thread_id": thread["id"], "type": "USER", "content": "Hello", "blocks": blocks,
        "author": {"id": me["id"], "name": "Alice", "kind": "HUMAN", "avatar_url": None}, "files": [],
        "parent_id": parent["id"], "metadata": {"a": [1, None]}, "status": "COMPLETE", "reactions": [], "offset": 3,
        "version": 1, "created_at": message["created_at"], "edited_at": None, "deleted_at": None,
    }  # fmt: skip
    assert (await alice.get(f"/api/v1/messages/{message['id']}")).data == message
    assert (await alice.get(f"/api/v1/threads/{thread['id']}/messages")).data == [message, parent]
    assert (await alice.get(f"/api/v1/threads/{thread['id']}")).data["last_message"] == message


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"content": ""}, "body"),
        ({"content": "", "blocks": []}, "body"),
        ({"blocks": None}, "body"),
        ({"content": "a\u0000b"}, "content"),
        ({"content": ["x"]}, "content"),
        ({"content": None}, "content"),
        ({"content": "x", "blocks": [{}]}, "blocks.0.type"),
        ({"content": "x", "blocks": [{"type": 5}]}, "blocks.0.type"),
        ({"content": "x", "blocks": ["text"]}, "blocks.0"),
        ({"content": "x", "blocks": {"type": "x-t"}}, "blocks"),
        ({"content": "x", "metadata": []}, "metadata"),
        ({"content": "x", "metadata": None}, "metadata"),
        ({"content": "x", "type": "OTHER"}, "type"),
        ({"content": "x", "type": "user"}, "type"),
        ({"content": "x", "parent_id": "nope"}, "parent_id"),
        ({"content": "x", "id": 5}, "id"),
        ({"content": "x", "id": "C" + "a" * 24}, "id"),
        ({"content": "x", "thread_id": "c" + "a" * 24}, "thread_id"),
        ({"content": "x", "offset": 1}, "offset"),
        ({"content": "x", "author": {}}, "author"),
    ],
)
async def test_what_a_message_may_not_be(alice: Client, body: dict[str, Any], field: str) -> None:
    thread = await alice.thread()
    answer = await alice.post(f"/api/v1/threads/{thread['id']}/messages", **body)
    assert answer.status == 400
    assert answer.error["errors"].keys() == {field}
    assert (await alice.get(f"/api/v1/threads/{thread['id']}")).data["message_count"] == 0


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


LARGEST = {
    "content, in bytes": ("content", "é" * (limits.CONTENT_BYTES // 2), "é" * (limits.CONTENT_BYTES // 2) + "x"),
    "content of four bytes": ("content", "🎉" * (limits.CONTENT_BYTES // 4), "🎉" * (limits.CONTENT_BYTES // 4 + 1)),
    "content of one byte": ("content", "x" * limits.CONTENT_BYTES, "x" * (limits.CONTENT_BYTES + 1)),
    "content that is escaped": ("content", '"' * limits.CONTENT_BYTES, '"' * (limits.CONTENT_BYTES + 1)),
    "blocks": ("blocks", [{"type": "x-t"}] * 50, [{"type": "x-t"}] * 51),
    "bytes of blocks": (
        "blocks",
        [{"type": "x-t", "x": "x" * (limits.BLOCKS_BYTES - 23)}],
        [{"type": "x-t", "x": "x" * (limits.BLOCKS_BYTES - 22)}],
    ),
    "metadata": ("metadata", {"k": "x" * (16 * 1024 - 8)}, {"k": "x" * (16 * 1024 - 7)}),
    "metadata, in bytes": ("metadata", {"k": "é" * (8 * 1024 - 4)}, {"k": "é" * (8 * 1024 - 4) + "x"}),
    "depth of metadata": ("metadata", {"k": nested(31)}, {"k": nested(32)}),
    "depth of blocks": ("blocks", [{"type": "x-t", "k": nested(30)}], [{"type": "x-t", "k": nested(31)}]),
}


@pytest.mark.parametrize("case", LARGEST)
async def test_the_largest_fits_and_the_next_does_not(alice: Client, case: str) -> None:
    field, fits, too_large = LARGEST[case]
    thread = await alice.thread()
    assert (await alice.say(thread, **{"content": "x", field: fits}))[field] == fits
    path = f"/api/v1/threads/{thread['id']}/messages"
    refused = await alice.post(path, **{"content": "x", field: too_large})
    assert refused.status == 400
    assert {where.partition(".")[0] for where in refused.error["errors"]} == {field}
    assert len((await alice.get(path)).data) == 1


async def test_what_is_carried_goes_out_as_it_came(alice: Client) -> None:
    thread = await alice.thread()
    carried = {
        "": {},
        "é\u2028\U0001f600": ["\u0000", "\ufffe", 2**64 - 1, -(2**63), 0.1, 1e300, True, None, "</script>"],
    }
    message = await alice.say(thread, "\ufeff \t\r\n\u202e", metadata=carried, blocks=[{"type": "x-own", **carried}])
    again = (await alice.get(f"/api/v1/messages/{message['id']}")).data
    assert again == message
    assert (again["content"], again["metadata"]) == ("\ufeff \t\r\n\u202e", carried)
    assert again["blocks"] == [{"type": "x-own", **carried}]


async def test_an_id_of_the_client(alice: Client, bob: Client) -> None:
    thread, theirs = await alice.thread(), await bob.thread()
    mine = new_id()
    assert (await alice.say(thread, "x", id=mine))["id"] == mine
    for client, where in ((alice, thread), (alice, await alice.thread()), (bob, theirs)):
        taken = await client.post(f"/api/v1/threads/{where['id']}/messages", content="y", id=mine)
        assert (taken.status, taken.error["code"]) == (409, "id_taken")
    await alice.delete(f"/api/v1/messages/{mine}")
    again = await alice.post(f"/api/v1/threads/{thread['id']}/messages", content="y", id=mine)
    assert again.status == 409, "a tombstone keeps its id, too"


async def test_one_of_many_with_the_same_id(alice: Client) -> None:
    thread, mine = await alice.thread(), new_id()
    path = f"/api/v1/threads/{thread['id']}/messages"
    answers = await asyncio.gather(*(alice.post(path, content=str(n), id=mine) for n in range(20)))
    assert sorted(answer.status for answer in answers) == [201] + [409] * 19
    assert len((await alice.get(path)).data) == 1
    assert (await alice.get(f"/api/v1/threads/{thread['id']}")).data["offset"] == 2, "refusals leave no gap in the log"


async def test_a_reply_into_another_thread(alice: Client, bob: Client) -> None:
    here, there, foreign = await alice.thread(), await alice.thread(), await bob.thread()
    for parent in ((await alice.say(there))["id"], (await bob.say(foreign))["id"], new_id()):
        answer = await alice.post(f"/api/v1/threads/{here['id']}/messages", content="x", parent_id=parent)
        assert answer.status == 404


async def test_types_of_messages(server: Server, alice: Client, root: Client) -> None:
    thread = await alice.thread()
    path = f"/api/v1/threads/{thread['id']}/messages"
    assert (await alice.post(path, content="x", type="SYSTEM")).error["code"] == "forbidden"
    for kind in ("USER", "ASSISTANT", "TOOL"):
        assert (await alice.say(thread, type=kind))["type"] == kind
    bot = server.client("bot", kind="ASSISTANT")
    await alice.post(f"/api/v1/threads/{thread['id']}/members", user_id=(await bot.me())["id"])
    assert (await bot.say(thread, "I think"))["type"] == "ASSISTANT"
    assert (await bot.say(thread, "I know", type="SYSTEM"))["type"] == "SYSTEM"
    assert (await root.post(path, content="x", type="SYSTEM")).error["code"] == "not_a_writer"


async def test_edits_keep_what_was_said(alice: Client, bob: Client, root: Client) -> None:
    thread = await alice.thread(members=[{"user_id": (await bob.me())["id"]}])
    message = await bob.say(thread, "one", metadata={"n": 1})
    path = f"/api/v1/messages/{message['id']}"
    for other in (alice, root):
        assert (await other.patch(path, content="mine")).error["code"] == "forbidden", (
            "owner or admin, it is not theirs"
        )
    edited = (await bob.patch(path, content="two")).data
    assert (edited["content"], edited["metadata"], edited["version"]) == ("two", {"n": 1}, 2)
    assert edited["edited_at"] is not None
    assert (await bob.patch(path, content="two", metadata={"n": 1})).data == edited, (
        "nothing changed, nothing is written"
    )
    blocks = [{"type": "x-t"}]
    await bob.put(path, content="", blocks=blocks)
    await bob.put(path, metadata={})
    last = (await bob.put(path, content="five", blocks=None)).data
    assert (last["content"], last["blocks"], last["metadata"], last["version"]) == ("five", None, {}, 5)
    history = (await alice.get(f"{path}/history")).data
    assert [(r["version"], r["content"], r["blocks"], r["metadata"]) for r in history] == [
        (4, "", blocks, {}), (3, "", blocks, {"n": 1}), (2, "two", None, {"n": 1}), (1, "one", None, {"n": 1}),
    ]  # fmt: skip
    assert {r["edited_by"]["name"] for r in history} == {"Bob"}
    assert (last["author"], last["offset"], last["created_at"]) == (
        message["author"], message["offset"], message["created_at"],
    )  # fmt: skip


async def test_an_edit_to_nothing(alice: Client) -> None:
    thread = await alice.thread()
    message = await alice.say(thread, "one", blocks=[{"type": "x-t"}])
    path = f"/api/v1/messages/{message['id']}"
    assert (await alice.patch(path, content="")).status == 200, "its blocks still say something"
    for body in ({"blocks": None}, {"blocks": []}):
        refused = await alice.patch(path, **body)
        assert (refused.status, refused.error["code"]) == (400, "validation_failed")
    assert (await alice.get(path)).data["blocks"] == [{"type": "x-t"}]


async def test_who_may_no_longer_write_may_no_longer_edit(alice: Client, bob: Client) -> None:
    bob_id = (await bob.me())["id"]
    thread = await alice.thread(members=[{"user_id": bob_id}])
    path = f"/api/v1/messages/{(await bob.say(thread))['id']}"
    await alice.patch(f"/api/v1/threads/{thread['id']}/members/{bob_id}", role="VIEWER")
    assert (await bob.patch(path, content="x")).status == 403
    await alice.delete(f"/api/v1/threads/{thread['id']}/members/{bob_id}")
    assert (await bob.patch(path, content="x")).status == 404
    assert (await bob.get(path)).status == 404
