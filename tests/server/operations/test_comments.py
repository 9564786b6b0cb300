"""Comments on artifacts over REST: anchored, answered, resolved, found again after edits, and told of."""

from typing import Any

import pytest

from actors import limits
from tests.realtime_client import raw_client
from tests.server.operations.test_artifacts import REPORT, create
from tests.serving import Client, Server

INTRO = "/sections/0/text"


@pytest.fixture
async def url(alice: Client, thread: Any) -> str:
    artifact = await create(alice, f"/api/v1/threads/{thread['id']}/artifacts")
    return f"/api/v1/artifacts/{artifact['id']}"


async def comment(client: Client, url: str, content: str = "Really?", **more: Any) -> Any:
    made = await client.post(f"{url}/comments", content=content, **more)
    assert made.status == 201, made.raw
    assert made.headers["Location"] == f"{url}/comments/{made.data['id']}"
    return made.data


def on(quote: str) -> dict[str, Any]:
    text = REPORT["sections"][0]["text"]
    start = text.index(quote)
    return {"pointer": INTRO, "start": start, "end": start + len(quote), "quote": quote}


async def place(client: Client, url: str, made: Any) -> Any:
    return (await client.get(f"{url}/comments/{made['id']}")).data["place"]


async def test_a_range_is_followed_through_edits(alice: Client, bob: Client, url: str) -> None:
    word = REPORT["sections"][0]["text"].split()[-1]
    made = await comment(bob, url, anchor=on(word))
    assert (made["base_version"], made["anchor"]["quote"], made["place"]["standing"]) == (1, word, "there")
    more = {"type": "markdown", "text": "Before all."}
    await alice.patch(url, patch=[{"op": "add", "path": "/sections/0", "value": more}])
    moved = await place(alice, url, made)
    assert (moved["version"], moved["standing"], moved["pointer"], moved["text"]) == (
        2, "moved", "/sections/1/text", word,
    )  # fmt: skip
    await alice.patch(url, patch=[{"op": "remove", "path": "/sections/1"}])
    assert await place(alice, url, made) == {
        "version": 3, "standing": "orphaned", "pointer": None, "start": None, "end": None, "text": None,
    }  # fmt: skip
    await alice.post(f"{url}/versions/1/restore")
    assert (await place(alice, url, made))["standing"] == "there", "what is back has its comments back"


async def test_about_an_earlier_version(alice: Client, url: str) -> None:
    await alice.patch(url, patch=[{"op": "replace", "path": "/abstract", "value": "Sales fell, or did they?"}])
    old = await comment(alice, url, version=1, anchor={"pointer": "/abstract", "start": 0, "end": 5, "quote": "Sales"})
    assert (old["base_version"], old["place"]["standing"], old["place"]["version"]) == (1, "there", 2)
    whole = await comment(alice, url)
    assert (whole["anchor"], whole["place"]) == (None, None)
    refused = await alice.post(f"{url}/comments", content="x", version=7)
    assert refused.status == 404
    listed = (await alice.get(f"{url}/comments")).data
    assert listed == [whole, old]


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"content": " \u200b "}, "content"),
        ({"content": "x" * (limits.COMMENT_CHARS + 1)}, "content"),
        ({"anchor": {"pointer": "no"}}, "anchor.pointer"),
        ({"anchor": {"pointer": "/missing"}}, "anchor.pointer"),
        ({"anchor": {"pointer": "/abstract", "start": 1}}, "anchor"),
        ({"anchor": {"pointer": "/abstract", "start": 0, "end": 999}}, "anchor.end"),
        ({"anchor": {"pointer": "/abstract", "start": 0, "end": 5, "quote": "Other"}}, "anchor.quote"),
        ({"anchor": {"pointer": "/abstract", "quote": "Other"}}, "anchor"),
    ],
)
async def test_what_is_no_comment(alice: Client, url: str, fields: Any, where: str) -> None:
    refused = await alice.post(f"{url}/comments", **{"content": "x", **fields})
    assert (refused.status, list(refused.error["errors"])) == (400, [where]), refused.raw


async def test_a_conversation(alice: Client, bob: Client, url: str) -> None:
    first = await comment(bob, url, anchor={"pointer": "/abstract"})
    reply = await comment(alice, url, "Yes.", parent_id=first["id"])
    assert (reply["parent_id"], reply["anchor"]) == (first["id"], None)
    refused = await bob.post(f"{url}/comments", content="x", parent_id=reply["id"])
    assert refused.error["errors"].keys() == {"parent_id"}
    path = f"{url}/comments/{first['id']}"
    resolved = (await alice.patch(path, resolved=True)).data
    assert (resolved["resolved"], resolved["resolved_by"]["name"], resolved["version"]) == (True, "Alice", 2)
    other = await comment(alice, url, "Something else.")
    assert [one["id"] for one in (await bob.get(f"{url}/comments", resolved="true")).data] == [reply["id"], first["id"]]
    assert [one["id"] for one in (await bob.get(f"{url}/comments", resolved="false")).data] == [other["id"]]
    assert [one["id"] for one in (await bob.get(f"{url}/comments", parent_id=first["id"])).data] == [reply["id"]]
    assert (await alice.patch(f"{url}/comments/{reply['id']}", resolved=True)).status == 400
    assert (await alice.patch(path, content="Mine?")).status == 403
    stale = await bob.patch(path, headers={"If-Match": '"1"'}, content="Better: why?")
    assert stale.status == 412
    edited = (await bob.patch(path, content="Better: why?", resolved=False)).data
    assert (edited["content"], edited["resolved"], edited["resolved_by"]) == ("Better: why?", False, None)
    assert edited["edited_at"] is not None
    assert (await bob.delete(f"{url}/comments/{reply['id']}")).status == 403
    assert (await bob.delete(path)).data == {"id": first["id"], "deleted": True}
    gone = (await bob.get(path)).data
    assert (gone["content"], gone["anchor"], gone["place"]) == ("", None, None)
    assert (await alice.get(f"{url}/comments/{reply['id']}")).data["content"] == "Yes.", "what others said stays"
    late = await alice.post(f"{url}/comments", content="x", parent_id=first["id"])
    assert (late.status, late.error["code"]) == (409, "comment_deleted")
    assert (await bob.patch(path, content="Again")).error["code"] == "comment_deleted"


async def test_bounds(alice: Client, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = await comment(alice, url)
    monkeypatch.setattr(limits, "COMMENT_REPLIES", 1)
    await comment(alice, url, parent_id=first["id"])
    refused = await alice.post(f"{url}/comments", content="x", parent_id=first["id"])
    assert (refused.status, refused.error["code"]) == (409, "comments_full")
    monkeypatch.setattr(limits, "COMMENTS_PER_ARTIFACT", 2)
    assert (await alice.post(f"{url}/comments", content="x")).error["code"] == "comments_full"
    await alice.delete(f"{url}/comments/{first['id']}")
    assert (await alice.post(f"{url}/comments", content="x")).status == 201


async def test_a_page_ends_where_it_would_be_compared_with_too_many_versions(
    alice: Client, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "COMMENT_BASES", 2)
    made = []
    for number in range(5):
        await alice.patch(url, merge={"abstract": f"Sales {number}"})
        made.append((await comment(alice, url, anchor={"pointer": "/abstract"}))["id"])
    pages, cursor = [], None
    while cursor is not None or not pages:
        page = await alice.get(f"{url}/comments", **({"cursor": cursor} if cursor else {}))
        pages.append([one["id"] for one in page.data])
        cursor = page.metadata["pagination"]["next_cursor"]
    assert pages == [made[:2:-1], made[2:0:-1], made[:1]]


async def feed(client: Client) -> list[Any]:
    """What notifies of comments, newest first."""
    return [one for one in (await client.get("/api/v1/notifications")).data if one["comment_id"]]


async def test_who_is_told(server: Server, alice: Client, bob: Client, thread: Any, url: str) -> None:
    carol = server.client("carol")
    await alice.post(f"/api/v1/threads/{thread['id']}/members", user_id=(await carol.me())["id"])
    first = await comment(bob, url, "Look, @carol")
    (to_creator,), (to_named,) = await feed(alice), await feed(carol)
    assert (to_creator["kind"], to_creator["excerpt"], to_creator["message_id"]) == ("reply", "Look, @carol", None)
    assert (to_named["kind"], to_named["comment_id"], to_named["artifact_id"]) == (
        "mention", first["id"], url.rpartition("/")[2],
    )  # fmt: skip
    assert await feed(bob) == []
    await carol.post(f"/api/v1/threads/{thread['id']}/read")
    assert (await feed(carol))[0]["read_at"] is None, "a comment is not read with the thread's messages"
    reply = await comment(carol, url, "Where?", parent_id=first["id"])
    assert [one["kind"] for one in await feed(bob)] == ["reply"]
    assert len(await feed(alice)) == 2
    await bob.patch(f"{url}/comments/{first['id']}", content="Look, anybody")
    assert [one["comment_id"] for one in await feed(carol)] == []
    await carol.patch(f"{url}/comments/{reply['id']}", content="Where, @bob?")
    assert [(one["kind"], one["excerpt"]) for one in await feed(bob)] == [("mention", "Where, @bob?")]
    await carol.delete(f"{url}/comments/{reply['id']}")
    assert await feed(bob) == []
    await comment(bob, url, "@carol again")
    assert len(await feed(carol)) == 1
    await alice.delete(f"/api/v1/threads/{thread['id']}/members/{(await carol.me())['id']}")
    assert await feed(carol) == []
    await alice.delete(url)
    assert await feed(alice) == []


async def test_lists_and_events(server: Server, alice: Client, bob: Client, url: str, thread: Any) -> None:
    async with raw_client(server.session, server.websocket_url, alice.token) as socket:
        await socket.subscribe(thread["id"])
        first = await comment(bob, url, anchor={"pointer": "/abstract"})
        await alice.patch(f"{url}/comments/{first['id']}", resolved=True)
        await bob.delete(f"{url}/comments/{first['id']}")
        events: list[Any] = []
        while len(events) < 3:
            push = await socket.push()
            if push["channel"] == f"thread:{thread['id']}":  # on her own channel she is notified meanwhile
                events.append(push["pub"]["data"])
    assert [event["type"] for event in events] == ["comment.created", "comment.updated", "comment.deleted"]
    assert events[0]["data"] == {name: value for name, value in first.items() if name != "place"}
    (listed,) = (await alice.get(f"{url}/comments")).data
    assert events[2]["data"] == {name: value for name, value in listed.items() if name != "place"}
    await comment(bob, url, "Mine")
    mine = (await bob.get(f"/api/v1/users/{(await bob.me())['id']}/export/comments")).data
    assert [one["content"] for one in mine] == ["Mine"]
