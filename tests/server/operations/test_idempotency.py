"""Retries under a key: one request, however often, however fast, whatever has happened since."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from actors.identifiers import new_id
from tests.serving import Client, serving

KEY = {"Idempotency-Key": "k"}


async def test_twenty_at_once_are_one_message(alice: Client) -> None:
    thread = await alice.thread()
    path = f"/api/v1/threads/{thread['id']}/messages"
    answers = await asyncio.gather(*(alice.post(path, KEY, content="x") for _ in range(20)))
    assert {answer.status for answer in answers} == {201}
    assert len({answer.data["id"] for answer in answers}) == 1
    assert [m["id"] for m in (await alice.get(path)).data] == [answers[0].data["id"]]
    assert (await alice.get(f"/api/v1/threads/{thread['id']}")).data["offset"] == 2


async def test_twenty_at_once_with_different_requests(alice: Client) -> None:
    """One of them takes the key; all others are told."""
    thread = await alice.thread()
    path = f"/api/v1/threads/{thread['id']}/messages"
    answers = await asyncio.gather(*(alice.post(path, KEY, content=str(n)) for n in range(20)))
    assert sorted(answer.status for answer in answers) == [201] + [422] * 19
    assert {a.error["code"] for a in answers if a.status == 422} == {"idempotency_key_reused"}
    assert len((await alice.get(path)).data) == 1


async def test_a_key_is_the_users_own(alice: Client, bob: Client) -> None:
    thread = await alice.thread(members=[{"user_id": (await bob.me())["id"]}])
    path = f"/api/v1/threads/{thread['id']}/messages"
    answers = await asyncio.gather(*(client.post(path, KEY, content="x") for client in (alice, bob) for _ in range(5)))
    by_author = {(answer.data["author"]["name"], answer.data["id"]) for answer in answers}
    assert {name for name, _ in by_author} == {"Alice", "Bob"}
    assert len(by_author) == 2


async def test_the_longest_and_strangest_key(alice: Client) -> None:
    thread = await alice.thread()
    path = f"/api/v1/threads/{thread['id']}/messages"
    for key in ("x" * 255, "a key; with=\"all\" 'sorts' of\\things", "ключ 🎉"):
        headers = {"Idempotency-Key": key}
        first, again = [await alice.post(path, headers, content=key) for _ in range(2)]
        assert first.data == again.data
    assert len((await alice.get(path)).data) == 3


async def test_a_key_outlives_the_server(tmp_path: Path) -> None:
    seen = []
    thread_id = ""
    for content in ("x", "x", "y"):
        async with serving(tmp_path / "data") as server:
            alice = server.client("alice")
            thread_id = thread_id or (await alice.thread())["id"]
            answer = await alice.post(f"/api/v1/threads/{thread_id}/messages", KEY, content=content)
            seen.append((answer.status, answer.json.get("data")))
    assert seen[0] == seen[1]
    assert seen[0][0] == 201
    assert seen[2] == (422, None)


async def test_a_retry_shows_the_resource_as_it_is_now(alice: Client) -> None:
    thread = await alice.thread()
    path = f"/api/v1/threads/{thread['id']}/messages"
    message = (await alice.post(path, KEY, content="x")).data
    await alice.patch(f"/api/v1/messages/{message['id']}", content="y")
    again = await alice.post(path, KEY, content="x")
    assert (again.status, again.data["id"], again.data["content"]) == (201, message["id"], "y")
    await alice.delete(f"/api/v1/messages/{message['id']}")
    assert (await alice.post(path, KEY, content="x")).data["content"] == ""


async def test_what_is_refused_does_not_take_the_key(alice: Client) -> None:
    thread = await alice.thread()
    path = f"/api/v1/threads/{thread['id']}"
    await alice.patch(path, status="CLOSED")
    assert (await alice.post(f"{path}/messages", KEY, content="x")).error["code"] == "thread_closed"
    assert (await alice.post(f"{path}/messages", KEY, content="")).status == 400
    await alice.patch(path, status="ACTIVE")
    assert (await alice.post(f"{path}/messages", KEY, content="y")).status == 201


async def test_a_retry_after_the_thread_was_closed(alice: Client, bob: Client) -> None:
    """The first one was written: its retry says so, whatever a new one would be answered."""
    bob_id = (await bob.me())["id"]
    thread = await alice.thread(members=[{"user_id": bob_id}])
    path = f"/api/v1/threads/{thread['id']}"
    first = await bob.post(f"{path}/messages", KEY, content="x")
    await alice.patch(path, status="CLOSED")
    await alice.patch(f"{path}/members/{bob_id}", role="VIEWER")
    again = await bob.post(f"{path}/messages", KEY, content="x")
    assert (again.status, again.data) == (201, first.data)
    new = await bob.post(f"{path}/messages", {"Idempotency-Key": "new"}, content="x")
    assert (new.status, new.error["code"]) == (403, "not_a_writer")
    await alice.delete(f"{path}/members/{bob_id}")
    assert (await bob.post(f"{path}/messages", KEY, content="x")).status == 404


async def test_a_key_opens_no_thread_that_one_has_left(alice: Client, bob: Client) -> None:
    alice_id, bob_id = [(await who.me())["id"] for who in (alice, bob)]
    body = {"title": "Ours", "members": [{"user_id": bob_id, "role": "OWNER"}]}
    thread = (await alice.post("/api/v1/threads", KEY, **body)).data
    await alice.delete(f"/api/v1/threads/{thread['id']}/members/{alice_id}")
    await bob.say(thread, "the secret")
    again = await alice.post("/api/v1/threads", KEY, **body)
    assert again.status == 404
    assert b"secret" not in again.raw


async def test_a_retry_after_the_thread_is_gone(alice: Client) -> None:
    thread = (await alice.post("/api/v1/threads", KEY, title="x")).data
    await alice.delete(f"/api/v1/threads/{thread['id']}")
    assert (await alice.post("/api/v1/threads", KEY, title="x")).status == 404


async def test_a_toggle_is_not_toggled_back(alice: Client) -> None:
    thread = await alice.thread()
    path = f"/api/v1/messages/{(await alice.say(thread))['id']}/reactions"
    answers = await asyncio.gather(*(alice.post(path, KEY, emoji="👍") for _ in range(9)))
    assert {(answer.status, answer.data["added"]) for answer in answers} == {(201, True)}
    off = [await alice.post(path, {"Idempotency-Key": "off"}, emoji="👍") for _ in range(2)]
    assert {(answer.status, answer.data["added"]) for answer in off} == {(200, False)}
    on_again = await alice.post(path, KEY, emoji="👍")
    assert (on_again.status, on_again.data["added"], on_again.data["message"]["reactions"]) == (201, True, [])


async def test_a_marker_is_marked_once(alice: Client, bob: Client) -> None:
    thread = await alice.thread(members=[{"user_id": (await bob.me())["id"]}])
    path = f"/api/v1/threads/{thread['id']}/read"
    await alice.say(thread)
    marked = (await bob.post(path, KEY)).data
    await alice.say(thread)
    again = await bob.post(path, KEY)
    assert again.data == marked, "the newest message was another one when it was asked"


async def test_a_key_with_an_id_of_the_client(alice: Client) -> None:
    thread = await alice.thread()
    path, mine = f"/api/v1/threads/{thread['id']}/messages", new_id()
    first, again = [await alice.post(path, KEY, content="x", id=mine) for _ in range(2)]
    assert (first.status, first.data) == (again.status, again.data)
    assert (await alice.post(path, content="x", id=mine)).error["code"] == "id_taken", (
        "without the key it is another one"
    )


async def test_keys_are_for_posts_and_patches(alice: Client) -> None:
    """Others are safe to send again anyway."""
    thread = await alice.thread()
    path = f"/api/v1/threads/{thread['id']}"
    first, again = [await alice.patch(path, KEY, title="a") for _ in range(2)]
    assert (first.data["title"], first.data["version"]) == (again.data["title"], again.data["version"]) == ("a", 2)
    assert (await alice.patch(path, KEY, title="b")).error["code"] == "idempotency_key_reused"
    assert (await alice.get(path, KEY)).status == 200
    for fact in ("one", "two"):
        memory = {"facts": [{"id": "a", "text": fact}]}
        assert (await alice.put(f"{path}/memory", KEY, memory=memory)).status in (200, 201)


# What was found when the first request came, and is there no more


async def test_a_retry_takes_no_turn(alice: Client, bot: Client) -> None:
    thread = await alice.thread(members=[{"user_id": (await bot.me())["id"]}])
    path = f"/api/v1/threads/{thread['id']}"
    await alice.patch(path, while_streaming="queue")
    said = await bot.post(f"{path}/messages", KEY, content="Hello")
    opened = await bot.post(f"{path}/messages", {"Idempotency-Key": "open"}, status="STREAMING")
    again = await bot.post(f"{path}/messages", {"Idempotency-Key": "open"}, status="STREAMING")
    assert (again.status, again.data) == (201, opened.data)
    refused = await bot.post(f"{path}/messages", {"Idempotency-Key": "another"}, status="STREAMING")
    assert (refused.status, refused.error["code"]) == (409, "answer_streaming")
    other = await bot.post(f"{path}/messages", {"Idempotency-Key": "open"}, status="STREAMING", content="x")
    assert other.error["code"] == "idempotency_key_reused"
    await alice.post(f"{path}/control", control="human")
    assert (await bot.post(f"{path}/messages", KEY, content="Hello")).data == said.data
    assert (await bot.post(f"{path}/messages", content="Hello")).error["code"] == "human_in_control"
    assert len((await alice.get(f"{path}/messages")).data) == 2


async def test_who_has_left_gets_no_answer_to_a_retry(alice: Client, bot: Client) -> None:
    bot_id = (await bot.me())["id"]
    path = f"/api/v1/threads/{(await alice.thread(members=[{'user_id': bot_id}]))['id']}"
    await bot.post(f"{path}/messages", KEY, content="Hello")
    await alice.post(f"{path}/control", control="human")
    await alice.delete(f"{path}/members/{bot_id}")
    assert (await bot.post(f"{path}/messages", KEY, content="Hello")).status == 404


REPORT = {"abstract": "Sales rose.", "sections": [{"type": "markdown", "text": "They rose."}]}
SECTION = "/sections/0/text"
TEXT = {"op": "test", "path": SECTION, "value": "They rose."}
REQUESTS: dict[str, dict[str, Any]] = {
    "proposals": {"patch": [TEXT, {"op": "replace", "path": "/abstract", "value": "Sales rose fast."}]},
    "comments": {"content": "Really?", "anchor": {"pointer": SECTION, "start": 0, "end": 4, "quote": "They"}},
    "streams": {"pointer": SECTION},
}


async def made(client: Client, thread: Any) -> str:
    """The path of a report."""
    report = await client.post(f"/api/v1/threads/{thread['id']}/artifacts", type="REPORT", title="R", content=REPORT)
    return f"/api/v1/artifacts/{report.data['id']}"


@pytest.mark.parametrize("what", REQUESTS)
async def test_a_retry_about_a_text_that_has_gone_since(alice: Client, bob: Client, thread: Any, what: str) -> None:
    report = await made(alice, thread)
    path, body = f"{report}/{what}", REQUESTS[what]
    first = await bob.post(path, KEY, **body)
    assert (await alice.patch(report, patch=[{"op": "remove", "path": "/sections/0"}])).status == 200
    again = await bob.post(path, KEY, **body)
    assert (again.status, again.data["id"]) == (201, first.data["id"])
    refused = [await bob.post(path, headers, **body) for headers in (None, {"Idempotency-Key": "new"})]
    assert [each.status for each in refused] == [400, 400]
    assert len((await alice.get(path)).data) == 1


async def test_a_retry_about_a_version_that_is_kept_no_more(tmp_path: Path) -> None:
    async with serving(tmp_path / "data", ARTIFACT_VERSIONS="2") as server:
        alice = server.client("alice")
        report = await made(alice, await alice.thread())
        await alice.patch(report, title="R2")
        path = f"{report}/versions/1/restore"
        assert (await alice.post(path, KEY)).data["title"] == "R"
        assert (await alice.get(f"{report}/versions/1")).status == 404
        again = await alice.post(path, KEY)
        assert (again.status, again.data["version"]) == (200, 3)
        assert (await alice.post(path)).status == 404
