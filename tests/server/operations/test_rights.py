"""Rights that end: deactivated and deleted users are out at once, wherever they are and whoever asked for it."""

import asyncio
import re
from pathlib import Path

from tests.builders import until
from tests.realtime_client import raw_client
from tests.server.locking import locked
from tests.server.raw_http import raw_connection
from tests.serving import Client, Server


async def test_a_deactivated_user_is_out_at_once(server: Server, root: Client, bob: Client) -> None:
    path = f"/api/v1/users/{(await bob.me())['id']}"
    get_me = ("GET /api/v1/users/me HTTP/1.1", f"Authorization: Bearer {bob.token}")
    async with (
        raw_connection(server.url) as connection,
        raw_client(server.session, server.websocket_url, bob.token) as socket,
    ):
        assert (await connection.ask(*get_me)).status == 200
        assert (await root.patch(path, status="DEACTIVATED")).data["status"] == "DEACTIVATED"
        assert (await socket.closed()).code == 3500
        refused = await connection.ask(*get_me)
        assert (refused.status, refused.error["code"]) == (401, "unauthenticated")
    assert (await server.client("bob", name="Another token").get("/api/v1/threads")).status == 401
    async with raw_client(server.session, server.websocket_url) as socket:
        await socket.send(socket.command("connect", token=bob.token))
        assert (await socket.closed()).code == 3500
    assert (await root.patch(path, status="ACTIVE")).status == 200
    assert (await bob.get("/api/v1/users/me")).status == 200


async def test_rights_end_even_if_the_admin_does_not_wait(
    server: Server, root: Client, bob: Client, tmp_path: Path
) -> None:
    """The request was taken: what it does to who is signed in follows, though nobody reads its answer."""
    bob_id = (await bob.me())["id"]
    journal = server.services.directory.journal
    for method, body, status in (
        ("PATCH", b'{"status":"DEACTIVATED"}', 401),
        ("PATCH", b'{"status":"ACTIVE"}', 200),
        ("DELETE", b"", 401),
    ):
        with locked(tmp_path / "data"):
            async with raw_connection(server.url) as connection:
                before = asyncio.all_tasks()
                await connection.send(
                    f"{method} /api/v1/users/{bob_id} HTTP/1.1", f"Authorization: Bearer {root.token}",
                    "Content-Type: application/json", f"Content-Length: {len(body)}", body=body,
                )  # fmt: skip
                await until(lambda: journal.in_flight, "the write")
                connection.cut()
                await until(lambda before=before: not asyncio.all_tasks() - before, "the end of the request")
        await until(lambda: not journal.in_flight, "the commit")
        await server.services.access.settle()
        assert (await bob.get("/api/v1/users/me")).status == status


async def test_a_deleted_user_leaves_their_words_and_no_name(
    server: Server, alice: Client, bob: Client, root: Client
) -> None:
    bob_id = (await bob.me())["id"]
    await bob.patch("/api/v1/users/me", avatar_url="https://example.com/bob.png", metadata={"likes": "Bob"})
    thread = await alice.thread(members=[{"user_id": bob_id, "role": "OWNER"}])
    message = await bob.say(thread, "I was here")
    await bob.patch(f"/api/v1/messages/{message['id']}", content="I was there")
    await bob.put(f"/api/v1/messages/{message['id']}/reactions/👍")
    own = await bob.thread("Of nobody else")
    assert (await alice.delete(f"/api/v1/users/{bob_id}")).status == 403
    nothing = {"removed": {"count": 0, "size": 0}, "kept": []}
    deleted = (await root.delete(f"/api/v1/users/{bob_id}")).data
    assert deleted == {"id": bob_id, "deleted": True, "files": nothing}

    assert (await bob.get("/api/v1/users/me")).status == 401
    assert (await server.client("bob").get("/api/v1/users/me")).status == 401, "a new token brings nobody back"
    kept = (await alice.get(f"/api/v1/messages/{message['id']}")).data
    assert (kept["content"], kept["author"]["name"], kept["author"]["id"]) == ("I was there", "Deleted user", bob_id)
    path = f"/api/v1/threads/{thread['id']}"
    assert [m["user"]["name"] for m in (await alice.get(f"{path}/members")).data] == ["Alice"]
    assert (await alice.get(f"{path}/log")).data[-1]["type"] == "member.removed"
    for client in (alice, root):
        for where in ("/api/v1/users", f"/api/v1/users/{bob_id}", "/api/v1/threads", path, f"{path}/members",
                      f"{path}/messages", f"{path}/log", f"/api/v1/messages/{message['id']}/history",
                      f"/api/v1/messages/{message['id']}/reactions"):  # fmt: skip
            answer = await client.get(where)
            assert answer.status == 200
            assert not re.search(rb"\bbob\b", answer.raw.lower()), where  # a word: an id may have these letters
    assert (await root.get(f"/api/v1/threads/{own['id']}")).data["creator"]["name"] == "Deleted user"
    assert (await alice.post(f"{path}/members", user_id=bob_id)).status == 409
    made = await root.post("/api/v1/users", email="bob@rpotential.ai", name="Another Bob")
    assert made.status == 201, "the address is free again"


async def test_admins_cannot_delete_themselves(root: Client) -> None:
    assert (await root.delete(f"/api/v1/users/{(await root.me())['id']}")).status == 409
    assert (await root.get("/api/v1/users/me")).status == 200


async def test_deactivated_users_join_nothing(alice: Client, bob: Client, root: Client) -> None:
    bob_id = (await bob.me())["id"]
    thread = await alice.thread()
    await root.patch(f"/api/v1/users/{bob_id}", status="DEACTIVATED")
    assert (await alice.post(f"/api/v1/threads/{thread['id']}/members", user_id=bob_id)).status == 409
    assert (await alice.post("/api/v1/threads", title="x", members=[{"user_id": bob_id}])).status == 409
    assert (await alice.get(f"/api/v1/users/{bob_id}")).data["status"] == "DEACTIVATED"
