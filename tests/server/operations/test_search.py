"""Search over REST and RPC: rights, what is asked and how it is answered, and whatever people type."""

from typing import Any

import pytest

from actors import limits
from server.resources.search.views import SearchHitView
from tests.realtime_client import raw_client
from tests.serving import Answer, Client, Server

PATH = "/api/v1/search"


async def ask(client: Client, **query: Any) -> Answer:
    return await client.get(PATH, **query)


async def told(client: Client, **query: Any) -> list[str]:
    answer = await ask(client, **query)
    assert answer.status == 200, answer.raw
    return [hit["message"]["content"] if hit["message"] else hit["thread"]["title"] for hit in answer.data]


async def test_what_a_hit_looks_like(alice: Client) -> None:
    thread = await alice.thread("Travel plans")
    message = await alice.say(thread, "We plan <b>Zürich</b>")
    answer = await ask(alice, q="plan")
    found, title = answer.data
    assert (found["kind"], title["kind"]) == ("message", "thread") or (found["kind"], title["kind"]) == (
        "thread", "message",
    )  # fmt: skip
    by_kind = {hit["kind"]: hit for hit in answer.data}
    assert by_kind["message"]["message"] == (await alice.get(f"/api/v1/messages/{message['id']}")).data
    assert by_kind["message"]["snippet"] == [
        {"text": "We ", "hit": False}, {"text": "plan", "hit": True}, {"text": " <b>Zürich</b>", "hit": False},
    ]  # fmt: skip
    assert by_kind["thread"]["message"] is None
    assert by_kind["thread"]["snippet"][1] == {"text": "plans", "hit": True}
    for hit in answer.data:
        SearchHitView.model_validate(hit, strict=True)
        assert hit["thread"] == {"id": thread["id"], "title": "Travel plans"}
    assert answer.metadata["indexed_up_to"] is None
    assert answer.metadata["pagination"] == {"limit": 30, "next_cursor": None, "has_more": False}


# Rights


async def test_who_finds_what(server: Server, alice: Client, bob: Client, root: Client) -> None:
    viewer = server.client("viewer")
    viewer_id = (await viewer.me())["id"]
    thread = await alice.thread("Quiet", members=[{"user_id": viewer_id, "role": "VIEWER"}])
    await alice.say(thread, "a needle of alice")
    own = await root.thread("Own")
    await root.say(own, "a needle of root")
    everything = {"a needle of alice", "a needle of root"}
    assert await told(alice, q="needle") == await told(viewer, q="needle") == ["a needle of alice"]
    assert await told(bob, q="needle") == []
    assert await told(root, q="needle") == ["a needle of root"]
    assert set(await told(root, q="needle", all="true")) == everything
    assert await told(root, q="needle", thread_id=thread["id"]) == ["a needle of alice"]
    for client in (alice, bob, viewer):
        refused = await ask(client, q="needle", all="true")
        assert (refused.status, refused.error["code"]) == (403, "forbidden")
    foreign = await ask(bob, q="needle", thread_id=thread["id"])
    absent = await ask(bob, q="needle", thread_id="c" + "0" * 24)
    assert (foreign.status, absent.status) == (404, 404)
    assert foreign.error["code"] == absent.error["code"] == "not_found"


async def test_membership_counts_when_it_is_asked(server: Server, alice: Client, bob: Client) -> None:
    bob_id = (await bob.me())["id"]
    thread = await alice.thread("Shared")
    await alice.say(thread, "a needle")
    members = f"/api/v1/threads/{thread['id']}/members"
    for _ in range(2):
        assert await told(bob, q="needle") == []
        await alice.post(members, user_id=bob_id)
        assert await told(bob, q="needle") == ["a needle"]
        await alice.delete(f"{members}/{bob_id}")


async def test_what_changes_is_found_as_it_is_now(alice: Client) -> None:
    thread = await alice.thread("First title")
    message = await alice.say(thread, "an apple")
    path = f"/api/v1/messages/{message['id']}"
    assert await told(alice, q="apple") == ["an apple"]
    await alice.patch(path, content="a pear")
    assert (await told(alice, q="apple"), await told(alice, q="pear")) == ([], ["a pear"])
    await alice.delete(path)
    assert await told(alice, q="pear") == []
    await alice.patch(f"/api/v1/threads/{thread['id']}", title="Second title")
    assert (await told(alice, q="first"), await told(alice, q="second")) == ([], ["Second title"])
    await alice.delete(f"/api/v1/threads/{thread['id']}")
    assert await told(alice, q="title") == []


# What is asked


async def test_pages(alice: Client) -> None:
    thread = await alice.thread("Numbers")
    said = {f"needle {n}" for n in range(7)}
    for text in sorted(said):
        await alice.say(thread, text)
    for sort in ("relevance", "newest"):
        found: list[str] = []
        query = {"q": "needle", "limit": "3", "sort": sort}
        while True:
            page = await ask(alice, **query)
            found += [hit["message"]["content"] for hit in page.data]
            if not page.metadata["pagination"]["has_more"]:
                break
            query["cursor"] = page.metadata["pagination"]["next_cursor"]
        assert len(found) == 7
        assert set(found) == said


async def test_filters_without_words(alice: Client) -> None:
    me = await alice.me()
    thread = await alice.thread("Links")
    first = await alice.say(thread, "see https://example.com")
    await alice.say(thread, "an answer", parent_id=first["id"])
    assert await told(alice, has="link") == ["see https://example.com"]
    assert await told(alice, has="reply") == ["an answer"]
    assert await told(alice, thread_id=thread["id"], kind="messages") == ["an answer", "see https://example.com"]
    assert len(await told(alice, author_id=me["id"])) == 3
    assert await told(alice, type="SYSTEM") == []
    after, before = first["created_at"], "2099-01-01"
    assert len(await told(alice, after=after, before=before)) == 2
    assert await told(alice, after=before) == await told(alice, before="2001-01-01T00:00:00+02:00") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "body"),
        ({"kind": "messages"}, "body"),
        ({"sort": "newest", "all": "true"}, "body"),
        ({"q": ""}, "q"),
        ({"q": "!?"}, "q"),
        ({"q": "AND" + "\x00"}, "q"),
        ({"q": "x" * (limits.SEARCH_CHARS + 1)}, "q"),
        ({"q": "a " * (limits.SEARCH_TERMS + 1)}, "q"),
        ({"q": "x*"}, "q"),
        ({"q": "x", "has": "file"}, "has"),
        ({"q": "x", "has": "artifact"}, "has"),
        ({"q": "x", "kind": "message"}, "kind"),
        ({"q": "x", "sort": "oldest"}, "sort"),
        ({"q": "x", "type": "user"}, "type"),
        ({"q": "x", "thread_id": "1"}, "thread_id"),
        ({"q": "x", "author_id": "me"}, "author_id"),
        ({"q": "x", "after": "yesterday"}, "after"),
        ({"q": "x", "after": "2026-11-23T07:00:00"}, "after"),
        ({"q": "x", "before": "2026-13-01"}, "before"),
        ({"q": "x", "all": "maybe"}, "all"),
        ({"q": "x", "cursor": "nonsense"}, "cursor"),
        ({"q": "x", "sort": "newest", "cursor": "r5"}, "cursor"),
        ({"q": "x", "limit": "0"}, "limit"),
    ],
    ids=str,
)
async def test_questions_that_are_none(alice: Client, query: dict[str, str], field: str) -> None:
    answer = await ask(alice, **query)
    assert (answer.status, list(answer.error["errors"])) == (400, [field])


async def test_what_is_not_known_yet_says_so(alice: Client) -> None:
    assert "'link', 'blocks' or 'reply'; got 'file'." in (await ask(alice, has="file")).error["errors"]["has"][0]


# Whatever people type


TYPED = (
    '"', '"""', "'", "a'b", 'a"b', "needle AND", "OR needle", "NOT", "needle NOT", "NEAR(needle)", "NEAR(a b, 5)",
    "needle*", "*needle", "needle**", "^needle", "tags:km", "tags : km", "{text tags} : needle", "text:needle",
    "-needle", "--needle", "needle -", "(needle", "needle)", "((((", "needle; DROP TABLE message", "%", "_", "\\",
    "\\'", "\u202eneedle", "needle\u200b", "\ufffd", "🎉", "👩\u200d💻", "שלום", "مرحبا", "नमस्ते", "東京", "สวัสดี",
    "Ünïcödé", "ß", "İ", "\u017f", "ǆ", "a" * 500, "é" * 500, "東" * 500, "' OR 1=1 --", "search:*", "\ue000x\ue001",
    '"needle', 'needle"', '-"', '-""', "+needle", "needle:", ":needle", "needle,needle", "{}", "[needle]", "<needle>",
)  # fmt: skip


async def test_nothing_that_is_typed_breaks_it(alice: Client, bob: Client) -> None:
    secret = await bob.thread("needle tags km text NOT OR AND 東京 🎉")
    await bob.say(secret, "needle NEAR a b שלום مرحبا x tags km text search DROP TABLE message OR 1 1")
    for typed in TYPED:
        for sort in ("relevance", "newest"):
            answer = await ask(alice, q=typed, sort=sort)
            assert answer.status in (200, 400), (typed, answer.raw)
            if answer.status == 400:
                assert list(answer.error["errors"]) == ["q"], typed
            else:
                assert answer.data == [], "alice has nothing, so she finds nothing"


SCRIPTS = (
    ("Das Café in Zürich", "cafe zurich"),
    ("plain geneve", "Genève"),
    ("東京都に行きます", "京都"),
    ("서울에서 만나요", "서울"),
    ("สวัสดีครับ", "สวัสดี"),
    ("שָׁלוֹם עולם", "שלום"),
    ("مُحَمَّد هنا", "محمد"),
    ("नमस्ते दुनिया", "नमस्ते"),
    ("ship it 🚀", "🚀"),
    ("thumbs 👍🏽", "👍"),
    ("Straße", "STRASSE"),
    ("ΣΊΣΥΦΟΣ", "σίσυφος"),
    ("ёлка", "елка"),
    ("\uff46\uff55\uff4c\uff4c width", "full"),
    ("we were running", "run"),
    ("user_id=42", "42"),
    ("it's fine", "it's"),
    ("co-operate", '"co operate"'),
    ("a.b.c@example.com", "example.com"),
    ("\u202egnihtyna", "gnihtyna"),
)


async def test_people_of_all_scripts_find_what_they_wrote(alice: Client) -> None:
    thread = await alice.thread("Scripts")
    for said, _ in SCRIPTS:
        await alice.say(thread, said)
    for said, typed in SCRIPTS:
        (hit,) = (await ask(alice, q=typed, kind="messages")).data
        assert hit["message"]["content"] == said
        assert any(piece["hit"] for piece in hit["snippet"]), typed


# The same by RPC


async def test_the_same_by_rpc(server: Server, alice: Client) -> None:
    thread = await alice.thread("Room")
    await alice.say(thread, "a needle")
    by_rest = (await ask(alice, q="needle", limit="5", after="2020-01-01")).data
    async with raw_client(server.session, server.websocket_url, alice.token) as client:
        data = {"q": "needle", "limit": 5, "after": "2020-01-01", "all": False}
        reply = await client.ask("rpc", method="search", data=data)
        refused = await client.ask("rpc", method="search", data={"q": "needle", "limit": "5"})
        endless = await client.ask("rpc", method="search", data={"q": "needle " * 1_500})
    (hit,) = reply["rpc"]["data"]
    assert {**hit, "score": 0} == {**by_rest[0], "score": 0}, "a score fades as time goes by"
    assert refused["error"]["code"] == endless["error"]["code"] == 107
    assert (await ask(alice, q="needle " * 1_500)).status == 400, "no line of a request is that long"


# Files


async def test_files_are_found_by_name_while_they_may_be_seen(alice: Client, bob: Client) -> None:
    thread = await alice.thread("Needles", members=[{"user_id": (await bob.me())["id"]}])
    file = (await alice.post("/api/v1/files", name="needle of alice.pdf", thread_id=thread["id"])).data
    outside = (await alice.post("/api/v1/files", name="needle outside.pdf")).data
    (hit,) = (await ask(bob, q="needle", kind="files")).data
    SearchHitView.model_validate(hit, strict=True)
    assert (hit["kind"], hit["id"], hit["message"], hit["thread"]["id"]) == ("file", file["id"], None, thread["id"])
    assert hit["snippet"][0] == {"text": "needle", "hit": True}
    assert [found["kind"] for found in (await ask(bob, q="needle")).data].count("file") == 1
    assert (await bob.delete(f"/api/v1/threads/{thread['id']}/members/{(await bob.me())['id']}")).status == 200
    assert (await ask(bob, q="needle")).data == []
    assert [found["id"] for found in (await ask(alice, q="needle", kind="files")).data] == [file["id"]]
    assert (await alice.delete(f"/api/v1/files/{file['id']}")).status == 200
    assert (await ask(alice, q="needle", kind="files")).data == []
    assert (await alice.get("/api/v1/files", q="outside")).data[0]["id"] == outside["id"]


async def test_artifacts_by_title_and_text(alice: Client, bob: Client) -> None:
    thread = await alice.thread()
    given = {"type": "REPORT", "title": "Harvest", "content": "Needles were found."}
    artifact = (await alice.post(f"/api/v1/threads/{thread['id']}/artifacts", **given)).data
    for words in ("harvest", "needles"):
        (hit,) = (await alice.get("/api/v1/search", q=words, kind="artifacts")).data
        assert (hit["kind"], hit["id"], hit["message"]) == ("artifact", artifact["id"], None)
        assert hit["thread"]["id"] == thread["id"]
        assert [piece["text"].lower() for piece in hit["snippet"] if piece["hit"]] == [words]
    assert (await bob.get("/api/v1/search", q="harvest")).data == []
    assert (await alice.get("/api/v1/search", q="harvest", kind="files")).data == []
