"""Reactions: given, taken back, toggled, counted, listed."""

import asyncio
from typing import Any
from urllib.parse import quote

import pytest

from actors import limits
from tests.serving import Client, Server


def groups(message: Any) -> list[tuple[str, int, list[str], bool]]:
    return [
        (g["emoji"], g["count"], [user["name"] for user in g["users"]], g["reacted_by_me"])
        for g in message["reactions"]
    ]  # fmt: skip


@pytest.fixture
async def path(alice: Client, bob: Client) -> str:
    thread = await alice.thread(members=[{"user_id": (await bob.me())["id"]}])
    return f"/api/v1/messages/{(await alice.say(thread))['id']}"


async def test_a_toggle(alice: Client, bob: Client, path: str) -> None:
    given = await bob.post(f"{path}/reactions", emoji=":thumbsup:")
    assert (given.status, given.data["added"]) == (201, True)
    assert groups(given.data["message"]) == [("👍", 1, ["Bob"], True)]
    assert groups((await alice.get(path)).data) == [("👍", 1, ["Bob"], False)]
    await alice.post(f"{path}/reactions", emoji="👍")
    taken = await bob.post(f"{path}/reactions", emoji="👍")
    assert (taken.status, taken.data["added"]) == (200, False)
    assert groups(taken.data["message"]) == [("👍", 1, ["Alice"], False)]
    assert taken.data["message"]["version"] == 1, "a reaction is no edit"


async def test_adding_and_removing_twice_is_once(alice: Client, bob: Client, path: str) -> None:
    for _ in range(2):
        added = await bob.put(f"{path}/reactions/{quote('👍🏽')}")
        assert (added.status, added.data["added"]) == (200, True)
        assert groups(added.data["message"]) == [("👍🏽", 1, ["Bob"], True)]
    assert not (await alice.delete(f"{path}/reactions/👍🏽")).data["added"]
    assert groups((await alice.get(path)).data) == [("👍🏽", 1, ["Bob"], False)], "another's stays"
    removed = await bob.delete(f"{path}/reactions/👍🏽")
    assert (removed.status, removed.data["message"]["reactions"]) == (200, [])
    log = (await alice.get(f"/api/v1/threads/{removed.data['message']['thread_id']}/log")).data
    assert [event["type"] for event in log[-2:]] == ["reaction.added", "reaction.removed"], (
        "what is no change is not told"
    )


async def test_the_list_in_the_order_given(alice: Client, bob: Client, path: str) -> None:
    for client, emoji in ((bob, "🎉"), (alice, "👍"), (bob, "👍"), (alice, "🎉")):
        await client.put(f"{path}/reactions/{emoji}")
    listed = (await bob.get(f"{path}/reactions")).data
    assert [(r["emoji"], r["user"]["name"]) for r in listed] == [
        ("🎉", "Bob"), ("👍", "Alice"), ("👍", "Bob"), ("🎉", "Alice"),
    ]  # fmt: skip
    assert groups((await alice.get(path)).data) == [
        ("🎉", 2, ["Bob", "Alice"], True),
        ("👍", 2, ["Alice", "Bob"], True),
    ]
    assert (await bob.get(path)).data["reactions"] == (await alice.get(path)).data["reactions"]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("❤", "❤️"), ("❤️", "❤️"), (":heart:", "❤️"), ("👨‍👩‍👧‍👦", "👨‍👩‍👧‍👦"), ("🏳️‍🌈", "🏳️‍🌈"), ("🏳‍🌈", "🏳️‍🌈"),
        ("🇩🇪", "🇩🇪"), ("#️⃣", "#️⃣"), ("👩🏾‍🚀", "👩🏾‍🚀"), (":+1:", "👍"), (":tada:", "🎉"), ("©", "©️"),
        ("👍\ufe0f", "👍"), ("👍\ufe0e", "👍"), ("❤\ufe0e", "❤️"), ("👍\ufe0f🏽", "👍🏽"), ("1\u20e3", "1️⃣"),
        ("🇩🇪\ufe0f", "🇩🇪"),
        ("👩\u200d❤\u200d👨", "👩‍❤️‍👨"), ("👩\ufe0f\u200d🚀", "👩‍🚀"), ("🏴‍☠", "🏴‍☠️"), ("☺", "☺️"), ("⭐\ufe0f", "⭐"),
    ],
)  # fmt: skip
async def test_one_emoji_however_it_is_written(alice: Client, path: str, given: str, shown: str) -> None:
    assert [g[0] for g in groups((await alice.post(f"{path}/reactions", emoji=given)).data["message"])] == [shown]
    assert not (await alice.delete(f"{path}/reactions/{quote(given)}")).data["message"]["reactions"]
    assert [g[0] for g in groups((await alice.put(f"{path}/reactions/{quote(given)}")).data["message"])] == [shown]


@pytest.mark.parametrize(
    "wrong",
    [
        "", " ", "x", "1", "👍👍", "👍 ", " 👍", "👍x", ":no_such_emoji:", "::", ":", ":👍:", "<b>", "a" * 64, "a" * 65,
        "\u200d", "\ufe0f", "\u0000", "👍\u0000", "🇩", "👍\n",
        "👍\ufe0f👍", "1\ufe0f", "\ufe0f\ufe0f", "👍\u200d", "👍\u200b",
    ],
)  # fmt: skip
async def test_what_is_no_emoji(alice: Client, path: str, wrong: str) -> None:
    refused = await alice.post(f"{path}/reactions", emoji=wrong)
    assert refused.status == 400
    assert refused.error["errors"].keys() == {"emoji"}
    if wrong:
        for method in ("PUT", "DELETE"):
            answer = await alice.request(method, f"{path}/reactions/{quote(wrong, safe='')}")
            assert (answer.status, answer.error["errors"].keys()) == (400, {"emoji"})
    assert (await alice.get(path)).data["reactions"] == []


async def test_many_at_once(server: Server, alice: Client, path: str) -> None:
    """Everybody counts once, whoever else reacts meanwhile."""
    people = [server.client(f"p{n}") for n in range(12)]
    thread_id = (await alice.get(path)).data["thread_id"]
    for person in people:
        await alice.post(f"/api/v1/threads/{thread_id}/members", user_id=(await person.me())["id"])
    await asyncio.gather(*(person.put(f"{path}/reactions/👍") for person in people for _ in range(3)))
    (group,) = (await alice.get(path)).data["reactions"]
    assert group["count"] == 12
    assert len(group["users"]) == limits.REACTION_USERS_SHOWN == 10
    assert len({r["user"]["id"] for r in (await alice.get(f"{path}/reactions")).data}) == 12
    await asyncio.gather(*(person.post(f"{path}/reactions", emoji="👍") for person in people for _ in range(3)))
    assert (await alice.get(path)).data["reactions"] == [], "three toggles are one"


async def test_so_many_emoji_on_one_message(alice: Client, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REACTIONS_PER_MESSAGE", 2)
    for emoji in ("👍", "🎉"):
        await alice.put(f"{path}/reactions/{emoji}")
    full = await alice.put(f"{path}/reactions/🚀")
    assert (full.status, full.error["code"]) == (409, "conflict")
    assert (await alice.put(f"{path}/reactions/👍")).status == 200
    await alice.delete(f"{path}/reactions/👍")
    assert (await alice.put(f"{path}/reactions/🚀")).status == 200


async def test_viewers_and_closed_threads(alice: Client, bob: Client, path: str) -> None:
    thread = f"/api/v1/threads/{(await alice.get(path)).data['thread_id']}"
    await alice.patch(f"{thread}/members/{(await bob.me())['id']}", role="VIEWER")
    assert (await bob.put(f"{path}/reactions/👍")).error["code"] == "not_a_writer"
    assert (await bob.get(f"{path}/reactions")).status == 200
    await alice.patch(thread, status="CLOSED")
    assert (await alice.put(f"{path}/reactions/👍")).error["code"] == "thread_closed"
