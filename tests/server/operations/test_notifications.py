"""Notifications: who gets one, of what, once; and the feed that they stand in."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from actors import limits
from actors.identifiers import new_id
from tests.serving import Client, Server

FEED = "/api/v1/notifications"
Told = list[tuple[str, str]]


async def ids(*clients: Client) -> list[str]:
    return [(await client.me())["id"] for client in clients]


@pytest.fixture
async def carol(server: Server) -> Client:
    client = server.client("carol", name="Carol Ann")
    await client.me()
    return client


@pytest.fixture
async def thread(alice: Client, bob: Client, carol: Client) -> Any:
    """Alice's, with the others; that they were added is no news any more."""
    bob_id, carol_id = await ids(bob, carol)
    made = await alice.thread(members=[{"user_id": bob_id}, {"user_id": carol_id}])
    for client in (bob, carol):
        await client.post(f"{FEED}/read-all")
    return made


async def feed(client: Client) -> Any:
    """What is unread, the newest first."""
    return (await client.get(FEED, unread="true")).data


async def told(client: Client) -> Told:
    """(kind, who did it) of what is unread, the oldest first."""
    return [(n["kind"], n["actor"]["name"]) for n in reversed(await feed(client))]


# Who


async def test_a_mention_says_who_named_one_where_and_how_it_begins(alice: Client, bob: Client, thread: Any) -> None:
    message = await alice.say(thread, "@bob, " + "look " * 100)
    (found,) = await feed(bob)
    alice_id = (await alice.me())["id"]
    assert found == {
        "id": found["id"], "kind": "mention", "thread_id": thread["id"], "message_id": message["id"],
        "artifact_id": None, "comment_id": None, "schedule_id": None,
        "actor": {"id": alice_id, "name": "Alice", "kind": "HUMAN", "avatar_url": None},
        "excerpt": message["content"][: limits.EXCERPT_CHARS], "created_at": message["created_at"], "read_at": None,
    }  # fmt: skip
    assert (await bob.get(f"{FEED}/{found['id']}")).data == found


@pytest.mark.parametrize(
    ("said", "who"),
    [
        ("hello", ""), ("@bob", "bob"), ("@Bob!", "bob"), ("@carolann", "carol"), ("@carol", "carol"), ("@ann", ""),
        ("@all", "bob carol"), ("@bob @carol @bob", "bob carol"), ("`@bob`", ""), ("bob@rpotential.ai", ""),
        ("<@{bob}>", "bob"), ("@[Whoever](user:{carol})", "carol"), ("@alice", ""), ("@dave <@{dave}>", ""),
    ],
)  # fmt: skip
async def test_whom_a_message_notifies(
    server: Server, alice: Client, bob: Client, carol: Client, thread: Any, said: str, who: str
) -> None:
    dave = server.client("dave")  # no member
    names = dict(zip(("bob", "carol", "dave"), await ids(bob, carol, dave), strict=True))
    await alice.say(thread, said.format(**names))
    clients = {"alice": alice, "bob": bob, "carol": carol, "dave": dave}
    assert {name for name, client in clients.items() if await feed(client)} == set(who.split())


async def test_blocks_name_people_too(alice: Client, bob: Client, thread: Any) -> None:
    (bob_id,) = await ids(bob)
    section = {"type": "rich_text_section", "elements": [{"type": "user", "user_id": bob_id}]}
    await alice.say(thread, "", blocks=[{"type": "rich_text", "elements": [section]}])
    assert await told(bob) == [("mention", "Alice")]


async def test_blocks_of_whatever_form_are_taken(alice: Client, bob: Client, thread: Any) -> None:
    await alice.say(
        thread, "", blocks=[{"type": "x-own", "elements": [{"type": ["code"], "style": 1, "text": "@bob"}]}]
    )
    assert await told(bob) == [("mention", "Alice")]


async def test_replies_reactions_and_being_added(alice: Client, bob: Client, carol: Client, thread: Any) -> None:
    message = await bob.say(thread)
    await alice.say(thread, "yes", parent_id=message["id"])
    assert await told(bob) == [("reply", "Alice")]
    message = await carol.say(thread)
    await alice.put(f"/api/v1/messages/{message['id']}/reactions/👍")
    assert await told(carol) == [("reaction", "Alice")]
    (bob_id,) = await ids(bob)
    other = await alice.thread()
    await alice.post(f"/api/v1/threads/{other['id']}/members", user_id=bob_id)
    (found, _) = await feed(bob)
    where = [found[name] for name in ("kind", "thread_id", "message_id", "excerpt")]
    assert where == ["added", other["id"], None, ""]


async def test_nobody_is_notified_of_what_they_do_themselves(alice: Client, thread: Any) -> None:
    message = await alice.say(thread, "@alice @all")
    await alice.say(thread, "yes", parent_id=message["id"])
    await alice.put(f"/api/v1/messages/{message['id']}/reactions/👍")
    assert (await alice.get(FEED)).data == []


async def test_one_message_notifies_one_person_once(alice: Client, bob: Client, carol: Client, thread: Any) -> None:
    mine = await bob.say(thread)
    answer = await alice.say(thread, "@bob @Bob @all", parent_id=mine["id"])
    assert await told(bob) == [("mention", "Alice")], "the strongest reason, not three"
    for client, emoji in ((alice, "👍"), (alice, "🎉"), (carol, "👍")):
        await client.put(f"/api/v1/messages/{mine['id']}/reactions/{emoji}")
    assert await told(bob) == [("mention", "Alice"), ("reaction", "Alice")]
    await alice.patch(f"/api/v1/messages/{answer['id']}", content="@bob, @bob again")
    assert len(await feed(bob)) == 2


async def test_a_retry_notifies_nobody_again(alice: Client, bob: Client, thread: Any) -> None:
    for _ in range(2):
        path = f"/api/v1/threads/{thread['id']}/messages"
        await alice.post(path, content="@bob", headers={"Idempotency-Key": "one"})
    assert len(await feed(bob)) == 1


async def test_an_edit_notifies_those_whom_it_names_anew(
    alice: Client, bob: Client, carol: Client, thread: Any
) -> None:
    message = await alice.say(thread, "@bob")
    await bob.delete(f"{FEED}/{(await feed(bob))[0]['id']}")
    for content in ("@bob, @carol", "@carol, @bob", "@bob and @carol"):
        await alice.patch(f"/api/v1/messages/{message['id']}", content=content)
    assert (await told(bob), await told(carol)) == ([], [("mention", "Alice")])
    assert (await feed(carol))[0]["excerpt"] == "@bob and @carol", "as it says now"


async def test_a_streamed_message_notifies_when_it_is_complete(alice: Client, bob: Client, thread: Any) -> None:
    path = f"/api/v1/messages/{(await alice.say(thread, '', status='STREAMING'))['id']}"
    await alice.post(f"{path}/append", text="Dear @bob")
    assert await feed(bob) == []
    await alice.post(f"{path}/complete")
    assert await told(bob) == [("mention", "Alice")]
    path = f"/api/v1/messages/{(await alice.say(thread, '@bob', status='STREAMING'))['id']}"
    await alice.post(f"{path}/cancel")
    assert len(await feed(bob)) == 1, "half a sentence calls nobody"


async def test_assistants_notify_and_are_notified(server: Server, alice: Client, bob: Client, root: Client) -> None:
    guide = server.client("guide")
    guide_id, bob_id = await ids(guide, bob)
    assert (await root.patch(f"/api/v1/users/{guide_id}", kind="ASSISTANT")).status == 200
    thread = await alice.thread(members=[{"user_id": guide_id}, {"user_id": bob_id}])
    await alice.say(thread, "@guide, tell @bob")
    assert await told(guide) == [("added", "Alice"), ("mention", "Alice")]
    await guide.say(thread, "@bob, hello")
    assert (await feed(bob))[0]["actor"]["kind"] == "ASSISTANT"


async def test_former_members_and_the_deactivated_are_told_nothing(
    alice: Client, bob: Client, carol: Client, root: Client, thread: Any
) -> None:
    bob_id, carol_id = await ids(bob, carol)
    said = [await bob.say(thread), await carol.say(thread)]
    await alice.say(thread, "@bob")
    await alice.delete(f"/api/v1/threads/{thread['id']}/members/{bob_id}")
    assert (await bob.get(FEED)).data == [], "what was there is not theirs to read any more"
    assert (await root.patch(f"/api/v1/users/{carol_id}", status="DEACTIVATED")).status == 200
    await alice.say(thread, f"@bob @carol <@{bob_id}> <@{carol_id}> @all")
    for message in said:
        await alice.say(thread, parent_id=message["id"])
        await alice.put(f"/api/v1/messages/{message['id']}/reactions/👍")
    await root.patch(f"/api/v1/users/{carol_id}", status="ACTIVE")
    assert (await bob.get(FEED)).data == []
    assert await feed(carol.again()) == []


@pytest.mark.parametrize("members", [limits.NOTIFIED_AT_ONCE, limits.NOTIFIED_AT_ONCE + 1])
async def test_in_a_large_thread_all_is_nobody(alice: Client, bob: Client, root: Client, members: int) -> None:
    thread = await alice.thread()
    path = f"/api/v1/threads/{thread['id']}/members"
    for n in range(members - 1):
        made = (await root.post("/api/v1/users", email=f"u{n}@rpotential.ai", name=f"U{n}")).data
        await alice.post(path, user_id=made["id"])
    await alice.post(path, user_id=(await bob.me())["id"])
    await bob.post(f"{FEED}/read-all")
    await alice.say(thread, "@all")
    assert bool(await feed(bob)) == (members <= limits.NOTIFIED_AT_ONCE)
    await alice.say(thread, "@bob")
    assert (await told(bob))[-1:] == [("mention", "Alice")]


# Taken back

Step = Callable[[Client, Client, Any, Any], Awaitable[Any]]


async def _read(alice: Client, bob: Client, thread: Any, message: Any) -> None:
    await bob.post(f"/api/v1/threads/{thread['id']}/read", offset=message["offset"])


async def _write(alice: Client, bob: Client, thread: Any, message: Any) -> None:
    await bob.say(thread, "I am here")


async def _delete(alice: Client, bob: Client, thread: Any, message: Any) -> None:
    await alice.delete(f"/api/v1/messages/{message['id']}")


async def _end(alice: Client, bob: Client, thread: Any, message: Any) -> None:
    await alice.delete(f"/api/v1/threads/{thread['id']}")


@pytest.mark.parametrize(("step", "stays"), [(_read, True), (_write, True), (_delete, False), (_end, False)])
async def test_what_is_read_or_gone_is_no_news(
    alice: Client, bob: Client, thread: Any, step: Step, stays: bool
) -> None:
    message = await alice.say(thread, "@bob")
    assert await told(bob) == [("mention", "Alice")]
    await step(alice, bob, thread, message)
    assert await feed(bob) == []
    assert (await bob.get(f"{FEED}/unread-count")).data == {"count": 0}
    assert (message["id"] in [n["message_id"] for n in (await bob.get(FEED)).data]) == stays


async def test_reading_up_to_a_message_leaves_later_ones_unread(alice: Client, bob: Client, thread: Any) -> None:
    messages = [await alice.say(thread, "@bob") for _ in range(3)]
    await _read(alice, bob, thread, messages[1])
    assert [n["message_id"] for n in await feed(bob)] == [messages[2]["id"]]


async def test_a_reaction_taken_back_takes_its_notification_along(
    alice: Client, bob: Client, carol: Client, thread: Any
) -> None:
    path = f"/api/v1/messages/{(await bob.say(thread))['id']}/reactions"
    await alice.put(f"{path}/👍")
    await alice.put(f"{path}/🎉")
    await carol.put(f"{path}/👍")
    await carol.delete(f"{path}/👍")
    await alice.delete(f"{path}/👍")
    assert await told(bob) == [("reaction", "Alice")], "another one is still there"
    await alice.delete(f"{path}/🎉")
    assert (await bob.get(FEED)).data[0]["kind"] == "added"


async def edit(client: Client, message: Any, **content: Any) -> None:
    assert (await client.patch(f"/api/v1/messages/{message['id']}", **content)).status == 200


def user_block(user_id: str) -> Any:
    section = {"type": "rich_text_section", "elements": [{"type": "user", "user_id": user_id}]}
    return [{"type": "rich_text", "elements": [section]}]


@pytest.mark.parametrize("is_read", [False, True])
@pytest.mark.parametrize("is_streamed", [False, True])
async def test_an_edit_that_names_one_no_more_withdraws_it(
    alice: Client, bob: Client, carol: Client, thread: Any, is_read: bool, is_streamed: bool
) -> None:
    if is_streamed:
        message = await alice.say(thread, "@bob take this", status="STREAMING")
        await alice.post(f"/api/v1/messages/{message['id']}/complete")
    else:
        message = await alice.say(thread, "@bob take this")
    if is_read:
        await bob.post(f"{FEED}/read-all")
    await edit(alice, message, content="@carol take this")
    assert [n["kind"] for n in (await bob.get(FEED)).data] == ["added"]
    assert ((await bob.get("/api/v1/unread")).data["mentions"], await told(carol)) == (0, [("mention", "Alice")])
    await edit(alice, message, content="@bob, after all")
    assert (await told(bob), await told(carol)) == ([("mention", "Alice")], [])


async def test_every_way_of_naming_is_taken_back(alice: Client, bob: Client, carol: Client, thread: Any) -> None:
    bob_id, carol_id = await ids(bob, carol)
    message = await alice.say(thread, "look", blocks=user_block(bob_id))
    for content in (
        {"blocks": user_block(carol_id)}, {"blocks": None}, {"content": "@all"}, {"content": "@carol"},
        {"content": f"<@{bob_id}>"}, {"content": "`@bob`"}, {"content": "@bob @all"}, {"content": "@all"},
        {"content": "nobody"},
    ):  # fmt: skip
        await edit(alice, message, **content)
        named = str(content)
        everybody = "@all" in named
        assert bool(await feed(bob)) == (everybody or bob_id in named), content
        assert bool(await feed(carol)) == (everybody or carol_id in named or "@carol" in named), content


async def test_one_who_is_named_no_more_may_still_be_answered(alice: Client, bob: Client, thread: Any) -> None:
    mine = await bob.say(thread)
    answer = await alice.say(thread, "@bob yes", parent_id=mine["id"])
    await edit(alice, answer, content="yes")
    assert await told(bob) == [("reply", "Alice")]
    await edit(alice, answer, content="@bob yes")
    assert await told(bob) == [("mention", "Alice")]
    assert (await bob.get("/api/v1/unread")).data["mentions"] == 1
    await bob.post(f"{FEED}/read-all")
    await edit(alice, answer, content="yes")
    newest = (await bob.get(FEED)).data[0]
    assert (newest["kind"], newest["read_at"] is not None) == ("reply", True), "they have seen it"


async def test_an_answer_to_what_is_deleted_is_no_news(alice: Client, bob: Client, thread: Any) -> None:
    mine = await bob.say(thread)
    await alice.say(thread, "yes", parent_id=mine["id"])
    named = await alice.say(thread, "@bob yes", parent_id=mine["id"])
    await bob.delete(f"/api/v1/messages/{mine['id']}")
    assert await told(bob) == [("mention", "Alice")]
    await edit(alice, named, content="yes")
    assert await told(bob) == []


@pytest.mark.parametrize("is_read", [False, True])
async def test_of_two_who_react_the_second_is_told_when_the_first_takes_it_back(
    alice: Client, bob: Client, carol: Client, thread: Any, is_read: bool
) -> None:
    path = f"/api/v1/messages/{(await bob.say(thread))['id']}/reactions"
    for client in (bob, alice, carol):
        await client.put(f"{path}/👍")
    if is_read:
        await bob.post(f"{FEED}/read-all")
    await alice.delete(f"{path}/👍")
    newest = (await bob.get(FEED)).data[0]
    assert (newest["kind"], newest["actor"]["name"]) == ("reaction", "Carol Ann")
    assert (newest["read_at"] is not None) == is_read
    await carol.delete(f"{path}/👍")
    assert (await bob.get(FEED)).data[0]["kind"] == "added", "one's own is no news"


async def test_one_that_was_stopped_names_nobody_by_an_edit(alice: Client, bob: Client, thread: Any) -> None:
    message = await alice.say(thread, "half", status="STREAMING")
    await alice.post(f"/api/v1/messages/{message['id']}/cancel")
    await edit(alice, message, content="@bob half")
    assert await feed(bob) == []


# The feed


async def test_pages_of_the_feed(alice: Client, bob: Client, thread: Any) -> None:
    messages = [(await alice.say(thread, f"@bob {n}"))["id"] for n in range(5)]
    seen: list[str] = []
    query: dict[str, str] = {"limit": "2", "unread": "true"}
    while True:
        page = await bob.get(FEED, **query)
        seen += [n["message_id"] for n in page.data]
        if not page.metadata["pagination"]["has_more"]:
            break
        query["cursor"] = page.metadata["pagination"]["next_cursor"]
        await alice.say(thread, "@bob meanwhile")  # what is new is on no later page
    assert seen == messages[::-1]


async def test_reading_one_all_and_dismissing(alice: Client, bob: Client, thread: Any) -> None:
    for n in range(4):
        await alice.say(thread, f"@bob {n}")
    newest, second, *_ = await feed(bob)
    for _ in range(2):
        read = (await bob.post(f"{FEED}/{newest['id']}/read")).data
        assert read == {**newest, "read_at": read["read_at"]}
        assert read["read_at"] is not None
    assert (await bob.get(f"{FEED}/unread-count")).data == {"count": 3}
    for _ in range(2):
        dismissed = await bob.delete(f"{FEED}/{second['id']}")
        assert (dismissed.status, (await bob.get(f"{FEED}/{second['id']}")).status) in ((200, 404), (404, 404))
    assert (await bob.post(f"{FEED}/read-all")).data == {"count": 2}
    assert (await bob.post(f"{FEED}/read-all")).data == {"count": 0}
    kept = (await bob.get(FEED)).data
    assert [n["excerpt"] for n in kept] == ["@bob 3", "@bob 1", "@bob 0", ""]
    assert kept[0] == read, "the first time counts"


async def test_anothers_notification_is_not_there(alice: Client, bob: Client, root: Client, thread: Any) -> None:
    await alice.say(thread, "@bob")
    (found,) = await feed(bob)
    for client in (alice, root):
        for path in (f"{FEED}/{found['id']}", f"{FEED}/{new_id()}"):
            answers = [await client.get(path), await client.post(f"{path}/read"), await client.delete(path)]
            assert [answer.status for answer in answers] == [404] * 3
    assert await feed(bob) == [found]
