"""Unread counts on one's own channel: they pass, and what was told last is what is so."""

from typing import Any

import pytest

from actors.resources.users import EraseContent
from tests.realtime_client import RawClient
from tests.server.realtime.conftest import Dial
from tests.serving import Client, Server

Json = dict[str, Any]


@pytest.fixture(autouse=True)
def _all_is_of_interest(dial: Dial) -> None:
    dial.ignores_own = False


async def told(client: RawClient) -> Json:
    """The next counts. Entries of the log are passed over."""
    while True:
        publication = (await client.push())["pub"]
        if "offset" not in publication:
            assert publication["data"]["type"] == "unread"
            counts: Json = publication["data"]["data"]
            return counts


async def right(device: RawClient, who: Client, *threads: Any) -> Json:
    """Wait until it is told what asking tells: in all, and for each of these threads."""
    asked = (await who.get("/api/v1/unread")).data
    of_thread = {each["thread_id"]: each for each in asked["by_thread"]}
    known: Json = {}
    while True:
        counts = await told(device)
        known |= {each["thread_id"]: each for each in counts["by_thread"]}
        expected = [
            of_thread.get(thread["id"], {"thread_id": thread["id"], "messages": 0, "mentions": 0, "muted": False})
            for thread in threads
        ]
        sums = {name: asked[name] for name in ("threads", "messages", "mentions", "muted")}
        if sums.items() <= counts.items() and [known.get(thread["id"]) for thread in threads] == expected:
            return counts


async def test_counts_are_told_as_they_are(dial: Dial, alice: Client, bob: Client, thread: Any) -> None:
    device = await dial(bob)
    path = f"/api/v1/threads/{thread['id']}"
    message = await alice.say(thread)
    counts = await right(device, bob, thread)
    assert counts == {
        "threads": 1, "messages": 1, "mentions": 0, "muted": {"threads": 0, "messages": 0, "mentions": 0},
        "by_thread": [{"thread_id": thread["id"], "messages": 1, "mentions": 0, "muted": False}],
    }  # fmt: skip
    named = await alice.say(thread, "@bob")
    assert (await right(device, bob, thread))["mentions"] == 1
    await bob.post(f"{path}/read", offset=message["offset"])
    await right(device, bob, thread)
    await bob.post("/api/v1/notifications/read-all")
    assert (await right(device, bob, thread))["mentions"] == 0
    await bob.post(f"{path}/unread", offset=0)
    assert (await right(device, bob, thread))["messages"] == 2
    await alice.say(thread, "@bob")
    await right(device, bob, thread)
    other = await alice.thread(members=[{"user_id": (await bob.me())["id"]}])
    await alice.say(other, "@bob")
    assert (await right(device, bob, other))["threads"] == 2
    await bob.say(other, "I write, so I have read")
    assert (await right(device, bob, other))["threads"] == 1
    await alice.delete(f"/api/v1/messages/{named['id']}")
    await alice.delete(path)
    assert (await right(device, bob, thread))["messages"] == 0


@pytest.mark.parametrize("is_known", [False, True])
async def test_what_is_read_at_once_is_never_told_as_unread(
    dial: Dial, alice: Client, bob: Client, thread: Any, is_known: bool
) -> None:
    """Another device shows the thread, and says so before counts are told."""
    device = await dial(bob)
    if is_known:
        await alice.say(other := await alice.thread(members=[{"user_id": (await bob.me())["id"]}]))
        await right(device, bob, other)
    await alice.say(thread, "@bob")
    await bob.post(f"/api/v1/threads/{thread['id']}/read")
    while True:
        counts = {each["thread_id"]: each for each in (await told(device))["by_thread"]}
        if thread["id"] in counts:
            break
    assert counts[thread["id"]] == {"thread_id": thread["id"], "messages": 0, "mentions": 0, "muted": False}


@pytest.mark.parametrize("is_known", [False, True])
async def test_what_was_said_before_one_came_is_none_of_it(
    dial: Dial, alice: Client, bob: Client, thread: Any, is_known: bool
) -> None:
    device = await dial(bob)
    if is_known:
        await alice.say(thread)
        await right(device, bob, thread)
    other = await alice.thread()
    for _ in range(3):
        await alice.say(other)
    await alice.post(f"/api/v1/threads/{other['id']}/members", user_id=(await bob.me())["id"])
    await alice.say(other)
    while True:
        counts = {each["thread_id"]: each["messages"] for each in (await told(device))["by_thread"]}
        if other["id"] in counts:
            break
    assert counts[other["id"]] == 1


@pytest.mark.parametrize("is_known", [False, True])
async def test_what_is_deleted_is_told_to_be_unread_no_more(
    dial: Dial, alice: Client, bob: Client, thread: Any, is_known: bool
) -> None:
    first, second = await alice.say(thread, "@bob"), await alice.say(thread)
    device = await dial(bob)
    if is_known:
        third = await alice.say(thread)
        await right(device, bob, thread)
        await alice.delete(f"/api/v1/messages/{third['id']}")
        assert (await right(device, bob, thread))["messages"] == 2
    for message, left in ((first, 1), (second, 0)):
        await alice.delete(f"/api/v1/messages/{message['id']}")
        assert (await right(device, bob, thread))["messages"] == left


async def test_also_with_an_author_who_is_to_be_forgotten_in_a_thread_that_nobody_uses(
    server: Server, dial: Dial, alice: Client, bob: Client, root: Client, thread: Any
) -> None:
    alice_id = (await alice.me())["id"]
    for text in ("@bob", "b"):
        await alice.say(thread, text)
    assert (await root.delete(f"/api/v1/users/{alice_id}?content=remove")).status == 200
    server.services.directory._threads.clear()  # as after a restart
    device = await dial(bob)
    assert (await bob.get("/api/v1/unread")).data["messages"] == 2
    await server.services.write(EraseContent())
    assert (await right(device, bob, thread))["messages"] == 0


async def test_a_thread_marked_unread_and_a_muted_one_are_told(
    dial: Dial, alice: Client, bob: Client, thread: Any
) -> None:
    device = await dial(bob)
    await alice.say(thread)
    for _ in range(3):
        await bob.say(thread)
    await bob.post(f"/api/v1/threads/{thread['id']}/unread", offset=0)
    assert (await right(device, bob, thread))["messages"] == 1, "one's own are never unread"
    me = f"/api/v1/threads/{thread['id']}/members/{(await bob.me())['id']}"
    await bob.patch(me, muted=True)
    assert (await right(device, bob, thread))["muted"] == {"threads": 1, "messages": 1, "mentions": 0}


async def test_an_edit_that_names_one_no_more_is_told(dial: Dial, alice: Client, bob: Client, thread: Any) -> None:
    device = await dial(bob)
    path = f"/api/v1/messages/{(await alice.say(thread, '@bob take this'))['id']}"
    for content, mentions in (("@bob, please", 1), ("@alice take this", 0), ("@bob take this", 1)):
        await alice.patch(path, content=content)
        assert (await right(device, bob, thread))["mentions"] == mentions


async def test_a_device_that_did_not_read_is_told_the_counts_anew(
    server: Server, dial: Dial, alice: Client, bob: Client, thread: Any
) -> None:
    """What passes while a connection takes nothing is not kept for it."""
    device = await dial(bob)
    message = await alice.say(thread, "@bob")
    await right(device, bob, thread)
    await alice.delete(f"/api/v1/messages/{message['id']}")
    expected = await right(device, bob, thread)
    (session,) = server.services.hub.clients
    session._behind(f"user:{(await bob.me())['id']}")  # type: ignore[attr-defined]
    assert await told(device) == expected
    assert expected["by_thread"] == [{"thread_id": thread["id"], "messages": 0, "mentions": 0, "muted": False}]


async def test_many_messages_and_few_mentions(dial: Dial, alice: Client, bob: Client, thread: Any) -> None:
    device = await dial(bob)
    for n in range(50):
        await alice.say(thread, "@bob" if n % 10 == 0 else "hello")
    counts = await right(device, bob, thread)
    assert (counts["messages"], counts["mentions"]) == (50, 5)


async def test_a_device_that_follows_the_thread_counts_for_itself(
    server: Server, dial: Dial, alice: Client, bob: Client, thread: Any
) -> None:
    follower, other = await dial(bob), await dial(bob)
    await follower.subscribe(thread["id"])
    await alice.say(thread)
    assert (await told(other))["messages"] == 1
    assert (await follower.ask("ping"))["ping"] == {}
    assert [m["push"]["channel"] for m in follower.inbox] == [f"thread:{thread['id']}"]


async def test_nobody_is_told_of_threads_that_are_not_theirs(dial: Dial, alice: Client, bob: Client) -> None:
    device = await dial(bob)
    await alice.say(await alice.thread())
    mine = await alice.thread(members=[{"user_id": (await bob.me())["id"]}])
    await alice.say(mine)
    counts = await told(device)
    assert [each["thread_id"] for each in counts["by_thread"]] == [mine["id"]]
