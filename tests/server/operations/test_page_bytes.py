"""Pages end by bytes, too: what is asked for in pages is never built in full, whatever it is made of."""

from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from actors import limits
from tests.realtime_client import raw_client
from tests.serving import Client, Server

LARGE = "x" * 60_000
COUNT = 20


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.limits.PAGE_STEP", 3)


async def filled(who: Client, **more: Any) -> str:
    """A thread of 20 messages that weigh 1.2 MB; answers its id."""
    thread = await who.thread(**more)
    for number in range(COUNT):
        await who.say(thread, f"{number:02} {LARGE}")
    return str(thread["id"])


async def pages(who: Client, path: str, **query: str) -> list[list[Any]]:
    """All pages; each of them but a single resource is within its bytes, and says truly whether there are more."""
    found: list[list[Any]] = []
    cursor: Mapping[str, str] = query
    while True:
        answer = await who.get(path, limit="100", **cursor)
        assert answer.status == 200, answer.json
        assert len(answer.raw) < limits.PAGE_BYTES + 4_096 or len(answer.data) == 1
        said = answer.metadata["pagination"]
        assert said["has_more"] is (said["next_cursor"] is not None)
        found.append(answer.data)
        if not said["has_more"]:
            return found
        cursor = {"q": query["q"]} if "q" in query else {}
        cursor = {**cursor, "after" if path.endswith("/log") else "cursor": said["next_cursor"]}


def numbers(found: list[list[Any]]) -> list[str]:
    return [item["content"][:2] for page in found for item in page if "content" in item]


async def test_messages_both_ways(alice: Client) -> None:
    path = f"/api/v1/threads/{await filled(alice)}/messages"
    in_order = [f"{number:02}" for number in range(COUNT)]
    assert numbers(found := await pages(alice, path)) == in_order[::-1]
    assert len(found) == 2
    assert numbers(await pages(alice, path, after="0")) == in_order


async def test_around_a_message(alice: Client) -> None:
    """The message itself is always there, and a cursor where one side ended by bytes."""
    thread = await filled(alice)
    path = f"/api/v1/threads/{thread}/messages"
    answer = await alice.get(path, around="12", limit="100")
    shown = [item["offset"] for item in answer.data]
    assert shown == list(range(shown[0], shown[-1] - 1, -1))
    assert shown[0] > 12 > shown[-1]
    assert len(answer.raw) < limits.PAGE_BYTES + 4_096
    assert answer.metadata["pagination"]["next_cursor"] == f"before:{shown[-1]}"
    newer = (await alice.get(path, around="2", limit="100")).metadata["pagination"]["next_cursor"]
    assert newer.startswith("after:")
    assert (await alice.get(path, cursor=newer)).data[0]["offset"] == int(newer.removeprefix("after:")) + 1


async def test_one_that_is_larger_than_a_page(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.readers.paging.page_of.__kwdefaults__", {"room": 1_000})
    path = f"/api/v1/threads/{await filled(alice)}/log"
    assert all(len(page) == 1 for page in await pages(alice, path, after="1"))


async def test_the_log_with_one_message_that_is_edited_again_and_again(alice: Client) -> None:
    """Each event carries the message as it is now: one row becomes twenty."""
    thread = await alice.thread()
    message = await alice.say(thread, LARGE)
    for number in range(COUNT):
        await alice.patch(f"/api/v1/messages/{message['id']}", content=f"{number} {LARGE}")
    found = await pages(alice, f"/api/v1/threads/{thread['id']}/log")
    assert [event["offset"] for page in found for event in page] == list(range(1, COUNT + 3))
    assert len(found) == 2
    revisions = await pages(alice, f"/api/v1/messages/{message['id']}/history")
    assert [revision["version"] for page in revisions for revision in page] == list(range(COUNT, 0, -1))
    assert len(revisions) == 2


async def test_threads_by_their_last_messages(alice: Client) -> None:
    for number in range(COUNT):
        await alice.say(await alice.thread(str(number)), LARGE)
    found = await pages(alice, "/api/v1/threads")
    assert [thread["title"] for page in found for thread in page] == [str(n) for n in reversed(range(COUNT))]
    assert len(found) == 2


@pytest.mark.parametrize("query", [{"q": "needle"}, {"q": "needle", "sort": "newest"}])
async def test_search(alice: Client, query: dict[str, str]) -> None:
    thread = await alice.thread()
    for number in range(COUNT):
        await alice.say(thread, f"needle {number} {LARGE}")
    found: list[str] = []
    count, cursor = 0, query
    while True:
        answer = await alice.get("/api/v1/search", limit="100", **cursor)
        assert len(answer.raw) < limits.PAGE_BYTES + 4_096
        found += [hit["message"]["id"] for hit in answer.data]
        count += 1
        next_cursor = answer.metadata["pagination"]["next_cursor"]
        if next_cursor is None:
            break
        cursor = {**query, "cursor": next_cursor}
    assert (len(set(found)), len(found)) == (COUNT, COUNT)
    assert count == 2


async def test_what_somebody_wrote(alice: Client) -> None:
    await filled(alice)
    me = (await alice.me())["id"]
    found = await pages(alice, f"/api/v1/users/{me}/export/messages")
    assert numbers(found) == [f"{number:02}" for number in range(COUNT)]
    assert len(found) == 2


async def test_users_by_what_they_keep(alice: Client, root: Client) -> None:
    for number in range(60):
        await root.post(
            "/api/v1/users", email=f"u{number}@rpotential.ai", name=f"U {number}", metadata={"a": "x" * 16_000}
        )
    found = await pages(root, "/api/v1/users")
    assert len({user["id"] for page in found for user in page}) == sum(map(len, found)) >= 60
    assert len(found) == 2
    assert len(await pages(root, "/api/v1/admin/audit")) >= 1


async def test_reactions_count(alice: Client) -> None:
    """Of long pictures of many people; and what JSON has to escape counts as it goes out."""
    thread = await alice.thread()
    for number in range(6):
        await alice.say(thread, f"{number:02}" + "\u0001" * 50_000)
    found = await pages(alice, f"/api/v1/threads/{thread['id']}/messages")
    assert numbers(found) == ["05", "04", "03", "02", "01", "00"]
    assert [len(page) for page in found] == [2, 2, 2]


async def test_over_a_websocket(server: Server, alice: Client) -> None:
    """An answer fits in a frame that official SDKs take; what is recovered or paged is no larger."""
    thread = await filled(alice)
    async with raw_client(server.session, server.websocket_url, alice.token) as client:
        for method in ("list_messages", "list_events"):
            answer = (await client.ask("rpc", method=method, data={"thread_id": thread, "limit": 100}))["rpc"]
            assert len(orjson.dumps(answer)) < 2**20
        page = (await client.ask("history", channel=f"thread:{thread}", limit=100))["history"]
        assert len(orjson.dumps(page)) < 2**20
        assert 0 < len(page["publications"]) < COUNT
        assert "recovered" not in await client.subscribe(thread, recover=True, offset=0, epoch="")
