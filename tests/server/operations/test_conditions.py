"""ETags: what has changed since it was read is not overwritten, and what has not is not sent again."""

import asyncio
from typing import Any

import pytest

from tests.serving import Answer, Client


async def things(alice: Client, bob: Client, root: Client) -> dict[str, tuple[Client, str, list[dict[str, Any]]]]:
    """Resource → who may change it, its path, and three different changes."""
    bob_id = (await bob.me())["id"]
    thread = await alice.thread(members=[{"user_id": bob_id}])
    message = await alice.say(thread)
    path = f"/api/v1/threads/{thread['id']}"
    titles = [{"title": str(n)} for n in range(3)]
    contents = [{"content": str(n)} for n in range(3)]
    names = [{"name": str(n)} for n in range(3)]
    roles = [{"role": role} for role in ("VIEWER", "OWNER", "MEMBER")]
    return {
        "thread": (alice, path, titles),
        "message": (alice, f"/api/v1/messages/{message['id']}", contents),
        "member": (alice, f"{path}/members/{bob_id}", roles),
        "user": (root, f"/api/v1/users/{bob_id}", names),
        "oneself": (alice, "/api/v1/users/me", names),
    }


@pytest.mark.parametrize("kind", ["thread", "message", "member", "user", "oneself"])
async def test_a_stale_version_is_refused(kind: str, alice: Client, bob: Client, root: Client) -> None:
    client, path, changes = (await things(alice, bob, root))[kind]
    first = await client.get(path)
    stale = {"If-Match": first.headers["ETag"]}
    second = await client.patch(path, stale, **changes[0])
    assert second.status == 200
    assert second.headers["ETag"] != first.headers["ETag"]
    for method in ("PATCH", "PUT", "DELETE"):
        if method == "DELETE" and kind == "oneself":
            continue
        options: dict[str, Any] = {} if method == "DELETE" else {"json": changes[1]}
        refused = await client.request(method, path, headers=stale, **options)
        check_stale(refused)
    assert (await client.get(path)).data == second.data
    assert (await client.put(path, {"If-Match": second.headers["ETag"]}, **changes[1])).status == 200
    assert (await client.put(path, {"If-Match": "*"}, **changes[2])).status == 200
    if kind != "oneself":
        present = (await client.get(path)).headers["ETag"]
        assert (await client.delete(path, {"If-Match": f" W/{present} "})).status == 200


def check_stale(answer: Answer) -> None:
    assert (answer.status, answer.error["code"]) == (412, "stale_version")
    assert "version 1, the current one is 2" in answer.error["detail"]


@pytest.mark.parametrize("kind", ["thread", "message", "member", "user", "oneself"])
async def test_of_many_at_once_one_wins(kind: str, alice: Client, bob: Client, root: Client) -> None:
    client, path, changes = (await things(alice, bob, root))[kind]
    condition = {"If-Match": (await client.get(path)).headers["ETag"]}
    answers = await asyncio.gather(*(client.patch(path, condition, **changes[n % 2]) for n in range(9)))
    assert sorted(answer.status for answer in answers) == [200] + [412] * 8


async def test_a_refused_condition_changes_nothing(alice: Client) -> None:
    thread = await alice.thread("Before")
    path = f"/api/v1/threads/{thread['id']}"
    for version in ("0", "2", "999999999999999999"):
        assert (await alice.patch(path, {"If-Match": f'"{version}"'}, title="x")).status == 412
        assert (await alice.delete(path, {"If-Match": f'"{version}"'})).status == 412
    assert (await alice.get(path)).data == thread
    assert len((await alice.get(f"{path}/log")).data) == 1


async def test_a_condition_on_what_is_not_there(alice: Client, bob: Client) -> None:
    """Whether it is there, and in which version, is not told to a stranger."""
    thread = await alice.thread()
    for version in ('"1"', '"2"', "*"):
        assert (await bob.patch(f"/api/v1/threads/{thread['id']}", {"If-Match": version}, title="x")).status == 404


async def test_who_may_not_is_told_before_what_is_stale(alice: Client, bob: Client) -> None:
    thread = await alice.thread(members=[{"user_id": (await bob.me())["id"]}])
    refused = await bob.patch(f"/api/v1/threads/{thread['id']}", {"If-Match": '"7"'}, title="x")
    assert refused.status == 403


async def test_an_etag_is_of_all_that_is_shown(alice: Client, bob: Client) -> None:
    """A version is of what one may change; the ETag changes with everything else, too."""
    thread = await alice.thread(members=[{"user_id": (await bob.me())["id"]}])
    path = f"/api/v1/threads/{thread['id']}"
    before = (await bob.get(path)).headers["ETag"]
    await alice.say(thread)
    after = await bob.get(path, {"If-None-Match": before})
    assert after.status == 200
    assert after.data["membership"]["unread_count"] == 1
    same = await alice.patch(path, {"If-Match": before}, title="Another")
    assert same.status == 200, "a message does not make a thread's version stale"


async def test_everybody_has_their_own_etag(alice: Client, bob: Client) -> None:
    thread = await alice.thread(members=[{"user_id": (await bob.me())["id"]}])
    path = f"/api/v1/messages/{(await alice.say(thread))['id']}"
    await alice.put(f"{path}/reactions/👍")
    mine = (await alice.get(path)).headers["ETag"]
    assert (await bob.get(path, {"If-None-Match": mine})).status == 200, "reacted_by_me differs"
