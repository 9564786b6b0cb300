"""Every list in pages: the limits, the cursors, and everything exactly once."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
import pytest_asyncio

from actors import limits
from server.api import operations
from server.api.registry import Operation
from tests.files import stored_file
from tests.server.operations.sweep.requests import (
    BODIES,
    BUTTON,
    PAGED,
    Hosts,
    World,
    artifact_of,
    check_problem,
    every,
    world_of,
)  # fmt: skip

pytestmark = pytest.mark.asyncio(loop_scope="package")


LOGS = ("list_events", "list_own_events")
"""Lists whose pages start after an offset."""


async def fill(world: World) -> None:
    """At least three of everything."""
    theirs = await world.viewer.thread()
    await fill_webhooks(world)
    other = world.server.client("other-of-actions")
    await world.alice.post(f"/api/v1/threads/{world.thread_id}/members", user_id=(await other.me())["id"])
    world.message_id = (await world.alice.say(world.thread_id, blocks=[BUTTON]))["id"]
    await world.viewer.post(f"/api/v1/threads/{theirs['id']}/members", user_id=world.alice_id)
    await world.offer_artifact(other)
    offered = (await world.alice.say(theirs, blocks=[BUTTON]))["id"]
    await world.alice.post(f"/api/v1/threads/{world.thread_id}/members", user_id=world.bob_id)
    for number in range(3):
        await world.alice.say(world.thread_id, f"Hello {number}")
        await world.viewer.say(theirs)
        await stored_file(world.server, world.alice_id, file_id=world.file_id)
        await world.alice.post("/api/v1/files", name=f"{number}.txt")
        await stored_file(world.server, world.viewer_id, theirs["id"])
        await artifact_of(world.alice, world.thread_id)
        own = await artifact_of(world.viewer, theirs["id"])
        await world.alice.patch(f"/api/v1/artifacts/{world.artifact_id}", title=f"A report {number}")
        await world.alice.post(f"/api/v1/artifacts/{world.artifact_id}/proposals", **BODIES["create_proposal"])
        await world.viewer.post(f"/api/v1/artifacts/{own}/proposals", **BODIES["create_proposal"])
        await world.alice.post(f"/api/v1/artifacts/{world.artifact_id}/comments", **BODIES["create_comment"])
        await world.viewer.post(f"/api/v1/artifacts/{own}/comments", **BODIES["create_comment"])
        await world.alice.post(await world.stop_streams())
        await world.sign_in()
        await world.sign_in(world.viewer_id)
        await world.viewer.post("/api/v1/auth/api-keys", name=str(number))
        await world.viewer.post("/api/v1/schedules", **BODIES["create_schedule"])
        await world.connect()
        await world.ask_to_acknowledge()
        await world.prepare_hold(operations.BY_NAME["list_holds"])
        await world.act(other)
        await world.act_on_artifact()
        await world.viewer.post(f"/api/v1/messages/{offered}/actions", **BODIES["create_action"])
        await world.alice.put(f"/api/v1/messages/{world.message_id}/reactions/{'👍🎉🚀'[number]}")
        await world.alice.patch(f"/api/v1/messages/{world.message_id}", content=f"Edited {number}")
    for reader in (world.alice, world.bob, world.viewer):
        await reader.post(f"/api/v1/threads/{world.thread_id}/read")
    for number in range(2):
        await world.alice.thread(members=[{"user_id": world.viewer_id, "role": "VIEWER"}])
        await world.alice.patch("/api/v1/users/me", metadata={"number": number})
    await world.alice.patch("/api/v1/users/me", metadata={})


async def fill_webhooks(world: World) -> None:
    """The last of them, `world.webhook_id`, has deliveries."""
    for _ in range(3):
        made = await world.viewer.post("/api/v1/webhooks", **BODIES["create_webhook"])
        world.webhook_id = made.data["id"]
    for _ in range(3):
        assert (await world.viewer.post(f"/api/v1/webhooks/{world.webhook_id}/test")).status == 202


MOST = 130
"""Of a list, are read: more than the largest page. Other tests of the sweep leave a thousand threads behind."""


async def walk(world: World, operation: Operation, limit: int, most: int = MOST) -> list[Any]:
    """Page after page, `most` items at most."""
    found: list[Any] = []
    query: dict[str, str] = {}
    while len(found) < most:
        parameters = {**world.query(operation), **query, "limit": str(limit)}
        page = await world.who_may(operation).get(world.path(operation), **parameters)
        pagination = page.metadata["pagination"]
        assert pagination["limit"] == limit
        assert pagination["has_more"] == (pagination["next_cursor"] is not None)
        assert len(page.data) == limit or not pagination["has_more"], "only the last page may be short"
        found += [_timeless(operation, item) for item in page.data]
        if not pagination["has_more"]:
            break
        query = {"after" if operation.name in LOGS else "cursor": pagination["next_cursor"]}
    return found[:most]


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def filled(hosts: Hosts) -> AsyncIterator[World]:
    """Tests read it, and each adds at most what its operation needs: to fill one takes as long as to read 20 lists."""
    async with AsyncExitStack() as opened:
        world = await world_of(hosts, opened)
        await fill(world)
        yield world


@every(*PAGED)
async def test_pages_of_any_size_hold_the_same(operation: Operation, filled: World) -> None:
    world = filled
    await world.prepare(operation)
    whole = await walk(world, operation, 100)
    assert len(whole) >= 3
    many = max(1, len(whole) // 12)
    assert await walk(world, operation, many) == whole
    assert await walk(world, operation, min(len(whole), 100)) == whole, "an exact fit has no more"
    assert (await walk(world, operation, 1, most=3)) == whole[:3]
    assert len(set(map(_key, whole))) == len(whole), "nothing comes twice"


_OF_WEBHOOKS = frozenset({"attempts", "log", "next_attempt_at", "failing_since", "paused_until"})
CHANGING = {
    "search": frozenset({"score"}),
    "list_webhooks": _OF_WEBHOOKS,
    "list_deliveries": _OF_WEBHOOKS,
    "export_files": frozenset({"download"}),
}
"""What changes between two reads: a match gets older, deliveries are attempted meanwhile, a URL is signed anew."""


def _timeless(operation: Operation, item: Any) -> Any:
    return {key: value for key, value in item.items() if key not in CHANGING.get(operation.name, ())}


def _key(item: Any) -> str:
    if "snippet" in item:
        return str((item["thread"]["id"], item["message"] and item["message"]["id"]))
    if "replaced_at" in item:
        return str(item["version"])
    return str(
        item.get("id")
        or item.get("offset")
        or item.get("number")
        or ("user" not in item and item["thread_id"])
        or (item["user"]["id"], item.get("emoji"))
    )


@every(*PAGED)
@pytest.mark.changes_nothing
async def test_how_much_a_page_may_hold(operation: Operation, world: World) -> None:
    client, path, query = world.who_may(operation), world.path(operation), world.query(operation)
    default = limits.REVISIONS_KEPT if operation.name == "list_revisions" else 30
    assert (await client.get(path, **query)).metadata["pagination"]["limit"] == default
    for limit in (1, 100):
        assert (await client.get(path, **query, limit=str(limit))).metadata["pagination"]["limit"] == limit
    for limit in ("0", "101", "-1", "1000000000000000000000"):
        answer = await client.get(path, **query, limit=limit)
        assert check_problem(answer, 400)["errors"].keys() == {"limit"}


@every(*(operation for operation in PAGED if "cursor" in operation.request.model_fields))
@pytest.mark.changes_nothing
async def test_cursors_of_our_own_only(operation: Operation, world: World) -> None:
    for cursor in ("", "x", "-1", "1.5", "9" * 30, "٣", "before:", "after:x", "around:5", " 1", "1\n", "x" * 300):
        answer = await world.who_may(operation).get(world.path(operation), **world.query(operation), cursor=cursor)
        assert check_problem(answer, 400)["errors"].keys() == {"cursor"}, cursor


@every(*PAGED)
@pytest.mark.changes_nothing
async def test_past_the_end_there_is_nothing(operation: Operation, world: World) -> None:
    last = {
        "list_messages": "before:0", "list_unacknowledged": "before:0", "list_holds": "before:0", "list_threads": "0",
        **dict.fromkeys(("list_reactions", "list_acknowledgements"), "after:999999999999999999"),
        "list_connections": "c" + "z" * 24, "search": "r0",
        **dict.fromkeys(("list_sessions", "list_api_keys", "list_audit", "list_all_sessions"), "0"),
        **dict.fromkeys(("list_notifications", "list_files", "list_file_versions", "list_schedules"), "0"),
        **dict.fromkeys(("list_actions", "list_message_actions", "list_artifact_actions"), "0"),
        **dict.fromkeys(("list_artifacts", "list_thread_artifacts", "list_artifact_versions"), "0"),
        **dict.fromkeys(("list_proposals", "list_comments", "list_artifact_streams"), "0"),
    }  # fmt: skip
    cursor = last.get(operation.name, "999999999999999999")
    if operation.name in LOGS:
        answer = await world.alice.get(world.path(operation), after=str(2**53))
    else:
        answer = await world.who_may(operation).get(world.path(operation), **world.query(operation), cursor=cursor)
    assert (answer.status, answer.data) == (200, [])
    assert answer.metadata["pagination"]["next_cursor"] is None
