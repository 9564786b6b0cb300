"""Users: made by their tokens, changed by themselves, managed by admins."""

import pytest

from tests.realtime_client import raw_client
from tests.serving import Client, Server


async def test_a_token_makes_its_user_and_keeps_them_up_to_date(server: Server) -> None:
    first = await server.client("dana", name="Dana").me()
    assert (first["name"], first["email"], first["role"]) == ("Dana", "dana@rpotential.ai", "USER")
    again = await server.client("dana", name="Dana Scully").me()
    assert (again["id"], again["name"]) == (first["id"], "Dana Scully")


async def test_what_others_see(alice: Client, bob: Client, root: Client) -> None:
    me = await alice.me()
    seen = (await bob.get(f"/api/v1/users/{me['id']}")).data
    assert set(seen) == {"id", "name", "avatar_url", "kind", "status"}
    assert (await root.get(f"/api/v1/users/{me['id']}")).data["email"] == "alice@rpotential.ai"
    listed = {user["id"]: user for user in (await bob.get("/api/v1/users")).data}
    assert "email" not in listed[me["id"]]
    page = await bob.get("/api/v1/users", limit="1")
    assert page.metadata["pagination"]["has_more"]
    rest = await bob.get("/api/v1/users", limit="100", cursor=page.metadata["pagination"]["next_cursor"])
    assert {user["id"] for user in page.data + rest.data} == set(listed)


async def test_changing_oneself(alice: Client) -> None:
    changed = (await alice.patch("/api/v1/users/me", name="Al", avatar_url="https://example.com/a.png")).data
    assert (changed["name"], changed["avatar_url"]) == ("Al", "https://example.com/a.png")
    assert (await alice.put("/api/v1/users/me", avatar_url=None)).data["avatar_url"] is None
    me = await alice.me()
    assert me["name"] == "Al", "what the token says anew counts, what it repeats does not"
    assert (await alice.patch("/api/v1/users/me", role="ADMIN")).status == 422
    refused = await alice.patch(f"/api/v1/users/{me['id']}", role="ADMIN")
    assert refused.status == 403
    assert (await alice.patch("/api/v1/users/me", name=None)).status == 422
    assert (await alice.patch("/api/v1/users/me", avatar_url="javascript:x")).status == 422


async def test_a_new_name_shows_in_what_an_open_connection_writes(server: Server, alice: Client) -> None:
    thread = await alice.thread()
    async with raw_client(server.session, server.websocket_url, alice.token) as client:
        await client.subscribe(thread["id"])
        await alice.patch("/api/v1/users/me", name="Al")
        data = {"thread_id": thread["id"], "content": "x"}
        await client.ask("rpc", method="create_message", data=data)
        assert (await client.push())["pub"]["data"]["actor"]["name"] == "Al"


async def test_admins_make_and_change_users(root: Client, bob: Client, server: Server) -> None:
    made = await root.post("/api/v1/users", email="eve@rpotential.ai", name="Eve", kind="SERVICE")
    assert (made.status, made.data["kind"]) == (201, "SERVICE")
    assert (await root.post("/api/v1/users", email="eve@rpotential.ai", name="E")).error["code"] == "email_taken"
    for wrong in ("", "x", "a@b", "a b@c.de", "x" * 250 + "@example.com"):
        assert (await root.post("/api/v1/users", email=wrong, name="E")).status == 422
    bob_id = (await bob.me())["id"]
    assert (await root.patch(f"/api/v1/users/{bob_id}", role="ADMIN")).data["role"] == "ADMIN"
    assert (await bob.get("/api/v1/threads", all="true")).status == 200
    assert (await root.patch(f"/api/v1/users/{bob_id}", role="USER")).status == 200
    assert (await bob.get("/api/v1/threads", all="true")).status == 403


async def test_a_deactivated_user_is_out_at_once(server: Server, root: Client, bob: Client) -> None:
    bob_id = (await bob.me())["id"]
    async with raw_client(server.session, server.websocket_url, bob.token) as client:
        assert (await root.patch(f"/api/v1/users/{bob_id}", status="DEACTIVATED")).status == 200
        assert (await client.closed()).code == 3005
    refused = await bob.get("/api/v1/users/me")
    assert refused.status == 401
    async with raw_client(server.session, server.websocket_url) as client:
        await client.send(client.command("connect", token=bob.token))
        assert (await client.closed()).code == 3500
    await root.patch(f"/api/v1/users/{bob_id}", status="ACTIVE")
    assert (await bob.get("/api/v1/users/me")).status == 200


async def test_a_deleted_user_leaves_their_words(server: Server, alice: Client, bob: Client, root: Client) -> None:
    bob_id = (await bob.me())["id"]
    thread = await alice.thread(members=[{"user_id": bob_id}])
    message = await bob.say(thread, "I was here")
    assert (await root.delete(f"/api/v1/users/{bob_id}")).data == {"id": bob_id, "deleted": True}
    assert (await bob.get("/api/v1/users/me")).status == 401
    kept = (await alice.get(f"/api/v1/messages/{message['id']}")).data
    assert (kept["content"], kept["author"]["name"]) == ("I was here", "Deleted user")
    members = (await alice.get(f"/api/v1/threads/{thread['id']}/members")).data
    assert bob_id not in [member["user"]["id"] for member in members]
    log = (await alice.get(f"/api/v1/threads/{thread['id']}/log")).data
    assert log[-1]["type"] == "member.removed"
    assert (await alice.post(f"/api/v1/threads/{thread['id']}/members", user_id=bob_id)).status == 409


async def test_admins_cannot_delete_themselves(root: Client) -> None:
    assert (await root.delete(f"/api/v1/users/{(await root.me())['id']}")).status == 409


@pytest.mark.parametrize("trusted", ["on", "off"])
async def test_roles_of_tokens(tmp_path, trusted: str) -> None:  # type: ignore[no-untyped-def]
    from tests.serving import serving

    async with serving(tmp_path / "data", TRUST_ROLE_CLAIM=trusted) as server:
        me = await server.client("root", role="ADMIN", kind="SERVICE").me()
    assert (me["role"], me["kind"]) == (("ADMIN", "SERVICE") if trusted == "on" else ("USER", "HUMAN"))
