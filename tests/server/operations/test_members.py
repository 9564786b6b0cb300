"""Members: who they are, what they may, who brings and removes them, what they have read."""

import asyncio

from actors.identifiers import new_id
from tests.serving import Client, Server


async def test_members_and_their_roles(alice: Client, bob: Client) -> None:
    thread = await alice.thread()
    path = f"/api/v1/threads/{thread['id']}/members"
    alice_id, bob_id = [(await who.me())["id"] for who in (alice, bob)]
    added = await alice.post(path, user_id=bob_id, role="VIEWER")
    assert added.status == 201
    assert added.headers["Location"] == f"{path}/{bob_id}"
    assert added.data == {
        "thread_id": thread["id"], "user": {"id": bob_id, "name": "Bob", "kind": "HUMAN", "avatar_url": None},
        "role": "VIEWER", "last_read_offset": 1, "muted": False, "joined_at": added.data["joined_at"],
    }  # fmt: skip
    assert (await bob.get(f"{path}/{bob_id}")).data == added.data
    listed = await bob.get(path)
    assert [m["user"]["id"] for m in listed.data] == [alice_id, bob_id]
    assert listed.metadata["offset"] == 2
    again = await alice.post(path, user_id=bob_id)
    assert (again.status, again.error["code"]) == (409, "already_member")
    assert (await alice.post(path, user_id=new_id())).status == 404
    assert (await alice.get(f"{path}/{new_id()}")).status == 404
    changed = await alice.patch(f"{path}/{bob_id}", role="MEMBER")
    assert changed.data == {**added.data, "role": "MEMBER"}
    assert (await alice.patch(f"{path}/{bob_id}", role="MEMBER")).headers["ETag"] == changed.headers["ETag"]
    for body in (
        {"role": None},
        {"role": "BOSS"},
        {"muted": None},
        {"muted": "yes"},
        {"muted": 1},
        {"user_id": bob_id},
    ):
        assert (await alice.patch(f"{path}/{bob_id}", **body)).status == 400, body


async def test_only_owners_and_admins_manage(server: Server, alice: Client, bob: Client, root: Client) -> None:
    carol_id, bob_id, alice_id = [(await who.me())["id"] for who in (server.client("carol"), bob, alice)]
    thread = await alice.thread(members=[{"user_id": bob_id}])
    path = f"/api/v1/threads/{thread['id']}/members"
    for refused in (
        await bob.post(path, user_id=carol_id),
        await bob.patch(f"{path}/{bob_id}", role="OWNER"),
        await bob.patch(f"{path}/{alice_id}", role="VIEWER"),
        await bob.patch(f"{path}/{alice_id}"),
        await bob.delete(f"{path}/{alice_id}"),
    ):
        assert (refused.status, refused.error["code"]) == (403, "forbidden")
    assert (await root.post(path, user_id=carol_id, role="VIEWER")).status == 201
    assert (await root.patch(f"{path}/{carol_id}", role="OWNER")).status == 200
    assert (await root.delete(f"{path}/{carol_id}")).data == {"id": carol_id, "deleted": True}
    assert (await root.delete(f"{path}/{carol_id}")).status == 404


async def test_muting_is_ones_own(alice: Client, bob: Client, root: Client) -> None:
    bob_id = (await bob.me())["id"]
    thread = await alice.thread(members=[{"user_id": bob_id, "role": "VIEWER"}])
    path = f"/api/v1/threads/{thread['id']}/members/{bob_id}"
    for other in (alice, root):
        assert (await other.patch(path, muted=True)).error["code"] == "forbidden"
        assert (await other.patch(path, muted=True, role="OWNER")).error["code"] == "forbidden"
    assert (await bob.patch(path, muted=True)).data["muted"] is True
    assert (await bob.get(f"/api/v1/threads/{thread['id']}")).data["membership"]["muted"] is True
    assert (await bob.get(path)).data["role"] == "VIEWER"


async def test_the_last_owner_stays(alice: Client, bob: Client, root: Client) -> None:
    alice_id, bob_id = [(await who.me())["id"] for who in (alice, bob)]
    thread = await alice.thread(members=[{"user_id": bob_id}])
    path = f"/api/v1/threads/{thread['id']}/members"
    for client in (alice, root):
        for refused in (
            await client.delete(f"{path}/{alice_id}"),
            await client.patch(f"{path}/{alice_id}", role="MEMBER"),
        ):
            assert (refused.status, refused.error["code"]) == (409, "last_owner")
    await alice.patch(f"{path}/{bob_id}", role="OWNER")
    assert (await alice.delete(f"{path}/{alice_id}")).status == 200
    assert (await alice.get(f"/api/v1/threads/{thread['id']}")).status == 404
    assert (await bob.delete(f"{path}/{bob_id}")).error["code"] == "last_owner"


async def test_two_owners_who_leave_at_once(alice: Client, bob: Client) -> None:
    ids = {client: (await client.me())["id"] for client in (alice, bob)}
    thread = await alice.thread(members=[{"user_id": ids[bob], "role": "OWNER"}])
    path = f"/api/v1/threads/{thread['id']}/members"
    answers = await asyncio.gather(*(client.delete(f"{path}/{ids[client]}") for client in (alice, bob)))
    assert sorted(answer.status for answer in answers) == [200, 409]


async def test_leaving(alice: Client, bob: Client) -> None:
    bob_id = (await bob.me())["id"]
    thread = await alice.thread(members=[{"user_id": bob_id, "role": "VIEWER"}])
    path = f"/api/v1/threads/{thread['id']}"
    assert (await bob.delete(f"{path}/members/{bob_id}")).data == {"id": bob_id, "deleted": True}
    assert (await bob.get("/api/v1/threads")).data == []
    for gone in (path, f"{path}/messages", f"{path}/log", f"{path}/members"):
        assert (await bob.get(gone)).status == 404
    assert (await bob.delete(f"{path}/members/{bob_id}")).status == 404
    assert (await alice.get(f"{path}/members/{bob_id}")).status == 404
    await alice.say(thread)
    back = await alice.post(f"{path}/members", user_id=bob_id)
    assert (back.status, back.data["role"]) == (201, "MEMBER")
    assert (await bob.get(path)).data["membership"]["unread_count"] == 0, "a newcomer has nothing unread"


async def test_many_who_bring_the_same_one(alice: Client, bob: Client) -> None:
    thread, bob_id = await alice.thread(), (await bob.me())["id"]
    path = f"/api/v1/threads/{thread['id']}/members"
    answers = await asyncio.gather(*(alice.post(path, user_id=bob_id) for _ in range(10)))
    assert sorted(answer.status for answer in answers) == [201] + [409] * 9


# What they have read


async def unread(client: Client, path: str) -> int:
    listed = next(t for t in (await client.get("/api/v1/threads")).data if path.endswith(t["id"]))
    shown = (await client.get(path)).data
    assert listed == shown
    return int(shown["membership"]["unread_count"])


async def test_what_is_unread(alice: Client, bob: Client) -> None:
    bob_id = (await bob.me())["id"]
    thread = await alice.thread(members=[{"user_id": bob_id}])
    path = f"/api/v1/threads/{thread['id']}"
    said = [await alice.say(thread, str(n)) for n in range(3)]
    assert await unread(bob, path) == 3
    assert await unread(alice, path) == 0, "what one writes one has read"
    marked = (await bob.post(f"{path}/read", offset=said[1]["offset"])).data
    assert (marked["last_read_offset"], marked["user"]["id"]) == (said[1]["offset"], bob_id)
    assert (await alice.get(f"{path}/members/{bob_id}")).data == marked
    assert await unread(bob, path) == 1
    for back in (said[0]["offset"], 0):
        assert (await bob.post(f"{path}/read", offset=back)).data == marked, "a marker never moves back"
    await alice.patch(path, title="Something that is no message")
    assert await unread(bob, path) == 1
    await bob.post(f"{path}/read", offset=2**53)
    assert await unread(bob, path) == 0
    last = (await bob.get(f"{path}/members/{bob_id}")).data
    assert last["last_read_offset"] == said[2]["offset"], "of the newest message, not of the future"
    await alice.say(thread)
    assert await unread(bob, path) == 1
    await bob.post(f"{path}/read")
    assert await unread(bob, path) == 0
    for wrong in (-1, 2**53 + 1, "1", 1.0, True):
        assert (await bob.post(f"{path}/read", offset=wrong)).status == 400


async def test_writing_is_reading(alice: Client, bob: Client) -> None:
    thread = await alice.thread(members=[{"user_id": (await bob.me())["id"]}])
    path = f"/api/v1/threads/{thread['id']}"
    await alice.say(thread)
    await alice.say(thread)
    await bob.say(thread)
    assert await unread(bob, path) == 0
    assert await unread(alice, path) == 1


async def test_who_is_no_member_has_no_marker(alice: Client, root: Client) -> None:
    thread = await alice.thread()
    await alice.say(thread)
    path = f"/api/v1/threads/{thread['id']}"
    assert (await root.post(f"{path}/read")).status == 404
    assert (await root.get(path)).data["membership"] is None


async def test_markers_from_all_sides(alice: Client, bob: Client) -> None:
    """However they arrive, the furthest stays."""
    thread = await alice.thread(members=[{"user_id": (await bob.me())["id"]}])
    path = f"/api/v1/threads/{thread['id']}"
    said = [(await alice.say(thread, str(n)))["offset"] for n in range(10)]
    await asyncio.gather(*(bob.post(f"{path}/read", offset=offset) for offset in [*said, *said[::-1]]))
    assert await unread(bob, path) == 0


# By e-mail address


async def test_a_member_is_added_by_address(alice: Client, bob: Client) -> None:
    me = await bob.me()
    path = f"/api/v1/threads/{(await alice.thread())['id']}/members"
    added = await alice.post(path, email=me["email"].upper(), role="VIEWER")
    assert (added.status, added.data["user"]["id"], added.data["role"]) == (201, me["id"], "VIEWER")
    assert (await alice.post(path, email=me["email"])).error["code"] == "already_member"


async def test_whom_to_add_is_named_once(alice: Client, bob: Client) -> None:
    me = await bob.me()
    path = f"/api/v1/threads/{(await alice.thread())['id']}/members"
    for body in ({}, {"user_id": me["id"], "email": me["email"]}):
        assert (await alice.post(path, **body)).status == 400
    assert (await alice.post(path, email="nobody@rpotential.ai")).status == 404
