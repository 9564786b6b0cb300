"""A deleted message leaves its place and nothing else; who may delete it."""

import pytest

from tests.serving import Client, Server

SECRET = "the secret"


def paths_about(thread_id: str, message_id: str) -> list[str]:
    return [
        "/api/v1/threads", f"/api/v1/threads/{thread_id}", f"/api/v1/threads/{thread_id}/messages",
        f"/api/v1/threads/{thread_id}/messages?around={message_id}", f"/api/v1/threads/{thread_id}/log",
        f"/api/v1/messages/{message_id}", f"/api/v1/messages/{message_id}/history",
        f"/api/v1/messages/{message_id}/reactions",
    ]  # fmt: skip


@pytest.mark.parametrize("is_last", [True, False])
async def test_a_deleted_message_is_nowhere(alice: Client, bob: Client, root: Client, is_last: bool) -> None:
    thread = await alice.thread(members=[{"user_id": (await bob.me())["id"]}])
    body = {"blocks": [{"type": "markdown", "text": SECRET}], "metadata": {SECRET: 1}}
    message = await alice.say(thread, SECRET, **body)
    path = f"/api/v1/messages/{message['id']}"
    await alice.patch(path, content=f"{SECRET} again")
    await bob.post(f"{path}/reactions", emoji="👍")
    reply = None if is_last else await bob.say(thread, "a reply", parent_id=message["id"])
    everywhere = paths_about(thread["id"], message["id"])
    told = [(await alice.get(where)).raw for where in everywhere]
    assert sum(SECRET.encode() in answer for answer in told) >= 5, "or this test would see nothing"
    assert (await bob.delete(path)).status == 403

    gone = await alice.delete(path)
    assert gone.status == 200
    assert gone.data == {
        **message, "content": "", "blocks": None, "metadata": {}, "reactions": [], "version": 3,
        "edited_at": gone.data["edited_at"], "deleted_at": gone.data["deleted_at"],
    }  # fmt: skip
    assert gone.data["deleted_at"] is not None
    for client in (alice, bob, root):
        for where in everywhere:
            answer = await client.get(where)
            assert answer.status == 200
            assert SECRET.encode() not in answer.raw, where
    assert (await alice.get(path)).data == gone.data
    for empty in (f"{path}/history", f"{path}/reactions"):
        assert (await alice.get(empty)).data == []
    seen = (await alice.get(f"/api/v1/threads/{thread['id']}")).data
    assert seen["message_count"] == (1 if is_last else 2)
    assert seen["last_message"]["id"] == (message["id"] if reply is None else reply["id"])
    if reply is not None:
        assert (await alice.get(f"/api/v1/messages/{reply['id']}")).data["parent_id"] == message["id"]


async def test_nothing_more_is_done_to_it(alice: Client) -> None:
    thread = await alice.thread()
    path = f"/api/v1/messages/{(await alice.say(thread))['id']}"
    await alice.delete(path)
    offset = (await alice.get(f"/api/v1/threads/{thread['id']}")).data["offset"]
    for refused in (
        await alice.delete(path),
        await alice.patch(path, content="x"),
        await alice.patch(path),
        await alice.post(f"{path}/reactions", emoji="👍"),
        await alice.put(f"{path}/reactions/👍"),
        await alice.delete(f"{path}/reactions/👍"),
    ):
        assert (refused.status, refused.error["code"]) == (409, "message_deleted")
    assert (await alice.get(f"/api/v1/threads/{thread['id']}")).data["offset"] == offset
    assert (await alice.say(thread, "a reply to it", parent_id=path.rsplit("/", 1)[1]))["offset"] == offset + 1


async def test_who_may_delete(server: Server, alice: Client, bob: Client, root: Client) -> None:
    carol = server.client("carol")
    members = [{"user_id": (await client.me())["id"]} for client in (bob, carol)]
    thread = await alice.thread(members=members)
    path = f"/api/v1/threads/{thread['id']}"
    for deleter, status in ((bob, 200), (alice, 200), (root, 200), (carol, 403), (server.client("stranger"), 404)):
        message = await bob.say(thread)
        assert (await deleter.delete(f"/api/v1/messages/{message['id']}")).status == status
    late = await bob.say(thread)
    await alice.patch(f"{path}/members/{members[0]['user_id']}", role="VIEWER")
    assert (await bob.delete(f"/api/v1/messages/{late['id']}")).status == 200, "one's own words one may take back"


async def test_in_a_closed_thread_one_may_still_delete(alice: Client) -> None:
    thread = await alice.thread()
    message = await alice.say(thread)
    await alice.patch(f"/api/v1/threads/{thread['id']}", status="CLOSED")
    assert (await alice.delete(f"/api/v1/messages/{message['id']}")).status == 200
