"""Users: made by their tokens, changed by themselves, managed by admins."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from actors.identifiers import new_id
from tests.realtime_client import raw_client
from tests.serving import Client, Server, serving


async def test_a_token_makes_its_user_and_keeps_them_up_to_date(server: Server) -> None:
    first = await server.client("dana", name="Dana").me()
    assert first == {
        "id": first["id"], "name": "Dana", "avatar_url": None, "kind": "HUMAN", "status": "ACTIVE",
        "email": "dana@rpotential.ai", "role": "USER", "domain": "rpotential.ai", "metadata": {},
        "created_at": first["created_at"], "updated_at": first["created_at"],
    }  # fmt: skip
    again = await server.client("dana", name="Dana Scully").me()
    assert (again["id"], again["name"]) == (first["id"], "Dana Scully")


async def test_twenty_first_requests_at_once_make_one_user(server: Server) -> None:
    clients = [server.client("dana") for _ in range(10)] + [server.client("dana", name="Dana")] * 10
    assert len({user["id"] for user in await asyncio.gather(*(client.me() for client in clients))}) == 1


@pytest.mark.parametrize("trusted", ["on", "off"])
async def test_roles_of_tokens(tmp_path: Path, trusted: str) -> None:
    async with serving(tmp_path / "data", TRUST_ROLE_CLAIM=trusted) as server:
        me = await server.client("root", role="ADMIN", kind="SERVICE").me()
    assert (me["role"], me["kind"]) == (("ADMIN", "SERVICE") if trusted == "on" else ("USER", "HUMAN"))


async def test_what_others_see(alice: Client, bob: Client, root: Client) -> None:
    me = await alice.me()
    public = {name: me[name] for name in ("id", "name", "avatar_url", "kind", "status")}
    assert (await bob.get(f"/api/v1/users/{me['id']}")).data == public
    for client in (alice, root):
        assert (await client.get(f"/api/v1/users/{me['id']}")).data == me
    listed = await bob.get("/api/v1/users")
    assert listed.data[0] == public
    assert b"alice@rpotential.ai" not in listed.raw
    assert listed.raw.count(b'"email"') == 1, "one's own"
    assert (await root.get("/api/v1/users")).raw.count(b'"email"') == 3
    assert (await bob.get(f"/api/v1/users/{new_id()}")).status == 404


async def test_an_address_is_told_nowhere_else(alice: Client, bob: Client) -> None:
    thread = await alice.thread(members=[{"user_id": (await bob.me())["id"]}])
    message = await alice.say(thread)
    await alice.put(f"/api/v1/messages/{message['id']}/reactions/👍")
    await alice.patch(f"/api/v1/messages/{message['id']}", content="edited")
    path = f"/api/v1/threads/{thread['id']}"
    of_message = f"/api/v1/messages/{message['id']}"
    for where in ("/api/v1/threads", path, f"{path}/members", f"{path}/messages", f"{path}/log",
                  f"{of_message}/history", f"{of_message}/reactions"):  # fmt: skip
        assert b"@rpotential" not in (await bob.get(where)).raw, where


async def test_changing_oneself(alice: Client) -> None:
    changed = (await alice.patch("/api/v1/users/me", name=" Al ", avatar_url="https://example.com/a.png")).data
    assert (changed["name"], changed["avatar_url"]) == ("Al", "https://example.com/a.png")
    cleared = (await alice.put("/api/v1/users/me", avatar_url=None, metadata={"a": [1]})).data
    assert (cleared["avatar_url"], cleared["metadata"], cleared["name"]) == (None, {"a": [1]}, "Al")
    me = await alice.me()
    assert me == cleared, "what the token says anew counts, what it repeats does not"
    by_id = f"/api/v1/users/{me['id']}"
    assert (await alice.patch(by_id, name="Alice")).data["name"] == "Alice"
    for field, value in (("role", "ADMIN"), ("kind", "SERVICE"), ("status", "ACTIVE"), ("email", "a@example.com")):
        assert (await alice.patch("/api/v1/users/me", **{field: value})).status == 400
        refused = await alice.patch(by_id, name="x", **{field: value})
        assert (refused.status, refused.error["code"]) == (403, "forbidden")
    assert (await alice.me())["name"] == "Alice"


@pytest.mark.parametrize(
    "body",
    [
        {"name": None}, {"name": ""}, {"name": " "}, {"name": "x" * 201}, {"name": "a\u0000"}, {"name": 5},
        {"avatar_url": "javascript:x"}, {"avatar_url": "ftp://x"}, {"avatar_url": ""}, {"avatar_url": "https://a b"},
        {"avatar_url": "https://" + "x" * 2048}, {"avatar_url": "https://x\n"}, {"metadata": None}, {"metadata": []},
        {"metadata": {"k": "x" * 17_000}},
    ],
)  # fmt: skip
async def test_what_a_user_may_not_be(alice: Client, body: dict[str, Any]) -> None:
    refused = await alice.patch("/api/v1/users/me", **body)
    assert refused.status == 400
    assert refused.error["errors"].keys() == body.keys()


async def test_a_new_name_shows_in_what_an_open_connection_writes(server: Server, alice: Client) -> None:
    thread = await alice.thread()
    async with raw_client(server.session, server.websocket_url, alice.token) as client:
        client.ignores_own = True
        await client.subscribe(thread["id"])
        await alice.patch("/api/v1/users/me", name="Al")
        data = {"thread_id": thread["id"], "content": "x"}
        await client.ask("rpc", method="create_message", data=data)
        assert (await client.push())["pub"]["data"]["actor"]["name"] == "Al"


async def test_a_new_name_shows_in_what_was_written_before(alice: Client, bob: Client) -> None:
    thread = await alice.thread(members=[{"user_id": (await bob.me())["id"]}])
    message = await alice.say(thread)
    await alice.patch("/api/v1/users/me", name="Al")
    assert (await bob.get(f"/api/v1/messages/{message['id']}")).data["author"]["name"] == "Al"
    assert (await alice.say(thread))["author"]["name"] == "Al"


async def test_admins_make_users(root: Client, bob: Client) -> None:
    made = await root.post("/api/v1/users", email="eve@rpotential.ai", name="Eve", kind="SERVICE", role="ADMIN")
    assert made.status == 201
    assert made.headers["Location"] == f"/api/v1/users/{made.data['id']}"
    shown = {name: made.data[name] for name in ("email", "name", "kind", "role", "status", "domain")}
    assert shown == {
        "email": "eve@rpotential.ai", "name": "Eve", "kind": "SERVICE", "role": "ADMIN", "status": "ACTIVE",
        "domain": "rpotential.ai",
    }  # fmt: skip
    taken = await root.post("/api/v1/users", email="eve@rpotential.ai", name="Another")
    assert (taken.status, taken.error["code"]) == (409, "email_taken")
    for wrong in (
        "",
        "x",
        "a@b",
        "a b@c.de",
        "a@b@c.de",
        "a\u0000@b.de",
        "a@b.de\n",
        "x" * 250 + "@example.com",
        None,
        5,
    ):
        refused = await root.post("/api/v1/users", email=wrong, name="E")
        assert (refused.status, refused.error["errors"].keys()) == (400, {"email"}), wrong
    assert (await bob.post("/api/v1/users", email="x@example.com", name="X")).status == 403
    thread = await root.thread(members=[{"user_id": made.data["id"]}])
    assert len((await root.get(f"/api/v1/threads/{thread['id']}/members")).data) == 2


async def test_of_many_with_one_address_one_is_made(root: Client) -> None:
    answers = await asyncio.gather(
        *(root.post("/api/v1/users", email="eve@rpotential.ai", name=str(n)) for n in range(10))
    )
    assert sorted(answer.status for answer in answers) == [201] + [409] * 9


async def test_admins_change_users(server: Server, root: Client, bob: Client, alice: Client) -> None:
    path = f"/api/v1/users/{(await bob.me())['id']}"
    assert (await bob.get("/api/v1/threads", all="true")).status == 403
    assert (await root.patch(path, role="ADMIN", name="Robert")).data["role"] == "ADMIN"
    assert (await bob.get("/api/v1/threads", all="true")).status == 200, "at once"
    assert (await root.patch(path, role="USER")).status == 200
    assert (await bob.get("/api/v1/threads", all="true")).status == 403, "at once"
    assert (await server.client("bob").me())["name"] == "Robert", "a token that says nothing new changes nothing"
    assert (await root.patch(path, email="alice@rpotential.ai")).error["code"] == "email_taken"
    assert (await root.patch(path, email="bob@rpotential.ai")).status == 200, "one's own address is free"
    for field, value in (("role", "BOSS"), ("kind", None), ("status", "GONE"), ("email", None), ("domain", "x")):
        assert (await root.patch(path, **{field: value})).status == 400
    assert (await alice.patch(path, name="x")).status == 403
    assert (await root.patch(f"/api/v1/users/{new_id()}", name="x")).status == 404


# Finding users


@pytest.fixture
async def company(root: Client) -> dict[str, Any]:
    """Users that an administrator made, by name."""
    made = {}
    for name, email, kind in [
        ("José Pérez", "jp@rpotential.ai", "HUMAN"), ("प्रिया शर्मा", "priya@rpotential.ai", "HUMAN"),
        ("\uff25\uff43\uff48\uff4f", "bot@rpotential.ai", "ASSISTANT"), ("100%_sure", "sure@rpotential.ai", "HUMAN"),
    ]:  # fmt: skip
        made[name] = (await root.post("/api/v1/users", name=name, email=email, kind=kind)).data
    return made


@pytest.mark.parametrize("path", ["/api/v1/users", "/users"])
@pytest.mark.parametrize(("query", "found"), [
    ({"q": "josé"}, ["José Pérez"]), ({"q": "jose\u0301 pé"}, ["José Pérez"]), ({"q": "PÉREZ"}, ["José Pérez"]),
    ({"q": "प्रिया"}, ["प्रिया शर्मा"]), ({"q": "echo"}, ["\uff25\uff43\uff48\uff4f"]), ({"q": "%_"}, ["100%_sure"]),
    ({"q": "nobody"}, []),
    ({"email": "PRIYA@rpotential.ai"}, ["प्रिया शर्मा"]), ({"email": "riya@rpotential.ai"}, []),
    ({"kind": "ASSISTANT"}, ["\uff25\uff43\uff48\uff4f"]), ({"kind": "ASSISTANT", "q": "josé"}, []),
])  # fmt: skip
async def test_users_are_found(
    path: str, query: dict[str, str], found: list[str], alice: Client, company: dict[str, Any]
) -> None:
    answer = await alice.get(path, **query)
    assert [user["name"] for user in answer.data if user["name"] in company] == found
    if "kind" not in query:
        assert len(answer.data) == len(found)


async def test_addresses_are_searched_for_administrators_alone(
    alice: Client, root: Client, company: dict[str, Any]
) -> None:
    assert [user["name"] for user in (await root.get("/api/v1/users", q="jp@rpot")).data] == ["José Pérez"]
    assert (await alice.get("/api/v1/users", q="jp@rpot")).data == []
    assert (await alice.get("/api/v1/users", q="jp")).data == [], "nor by what mentions know of an address"


async def test_users_by_status(root: Client, company: dict[str, Any]) -> None:
    gone = company["100%_sure"]["id"]
    await root.patch(f"/api/v1/users/{gone}", status="DEACTIVATED")
    assert [user["id"] for user in (await root.get("/api/v1/users", status="DEACTIVATED")).data] == [gone]
    assert gone not in [user["id"] for user in (await root.get("/api/v1/users", status="ACTIVE")).data]


async def test_a_search_over_pages(alice: Client, root: Client) -> None:
    for number in range(5):
        await root.post("/api/v1/users", name=f"Twin {number}", email=f"twin{number}@rpotential.ai")
    seen, cursor = [], None
    while True:
        page = await alice.get("/api/v1/users", q="twin", limit=2, **({"cursor": cursor} if cursor else {}))
        seen += [user["name"] for user in page.data]
        cursor = page.json["metadata"]["pagination"]["next_cursor"]
        if cursor is None:
            break
    assert seen == [f"Twin {number}" for number in range(5)]


@pytest.mark.parametrize("query", [{"q": ""}, {"q": "\u200b"}, {"email": "x"}, {"kind": "ROBOT"}, {"status": "x"}])
async def test_filters_that_are_not_valid(query: dict[str, str], alice: Client) -> None:
    answer = await alice.get("/api/v1/users", **query)
    assert (answer.status, list(answer.error["errors"])) == (400, list(query))
