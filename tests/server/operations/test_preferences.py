"""What one wants to hear of: everywhere, in one thread, and by what ways outside."""

from typing import Any

import pytest

from actors.resources.notifications import NOTIFICATION_KINDS, NotificationKind, Notify, wants
from tests.serving import Client

MINE = "/api/v1/users/me/preferences"
UNTOUCHED = {"notify": "all", "deliver": [], "quiet_hours": None, "time_zone": "UTC", "show_read": True}

NAMED: set[NotificationKind] = {"mention", "acknowledgement"}

# Chosen everywhere, chosen here, muted → of what one hears.
TABLE: tuple[tuple[Notify, Notify | None, bool, set[NotificationKind]], ...] = (
    ("all", None, False, set(NOTIFICATION_KINDS)), ("mentions", None, False, NAMED), ("none", None, False, set()),
    ("none", "all", False, set(NOTIFICATION_KINDS)), ("all", "mentions", False, NAMED),
    ("all", "none", False, set()), ("mentions", "all", False, set(NOTIFICATION_KINDS)),
    ("none", "mentions", False, NAMED), ("all", None, True, set()), ("all", "all", True, set()),
)  # fmt: skip


@pytest.mark.parametrize(("everywhere", "here", "muted", "kinds"), TABLE)
def test_of_what_somebody_hears(
    everywhere: Notify, here: Notify | None, muted: bool, kinds: set[NotificationKind]
) -> None:
    assert {k for k in NOTIFICATION_KINDS if wants(k, everywhere=everywhere, here=here, muted=muted)} == kinds


@pytest.mark.parametrize(("everywhere", "here", "muted", "kinds"), TABLE)
async def test_of_what_somebody_is_notified(
    alice: Client, bob: Client, everywhere: Notify, here: Notify | None, muted: bool, kinds: set[NotificationKind]
) -> None:
    """By all that others do in a thread that they have chosen for; of their own reminders they hear anyway."""
    bob_id = (await bob.me())["id"]
    thread = await alice.thread(members=[{"user_id": bob_id}])
    path = f"/api/v1/threads/{thread['id']}"
    await bob.patch(MINE, notify=everywhere)
    await bob.patch(f"{path}/preferences", notify=here)
    await bob.patch(f"{path}/members/{bob_id}", muted=muted)
    await bob.post("/api/v1/notifications/read-all")
    message = await bob.say(thread)
    await alice.say(thread, "@bob")
    await alice.say(thread, "Read this.", acknowledgement={})
    await alice.say(thread, "yes", parent_id=message["id"])
    await alice.put(f"/api/v1/messages/{message['id']}/reactions/👍")
    found = (await bob.get("/api/v1/notifications", unread="true")).data
    assert {n["kind"] for n in found} == kinds - {"added", "reminder"}
    assert (await bob.get(f"{path}/preferences")).data == {"thread_id": thread["id"], "notify": here, "muted": muted}


@pytest.mark.parametrize(("notify", "count"), [("all", 1), ("mentions", 0), ("none", 0)])
async def test_being_added_is_asked_of_what_holds_everywhere(
    alice: Client, bob: Client, notify: Notify, count: int
) -> None:
    await bob.patch(MINE, notify=notify)
    await alice.thread(members=[{"user_id": (await bob.me())["id"]}])
    assert (await bob.get("/api/v1/notifications/unread-count")).data == {"count": count}


async def test_only_what_is_chosen_changes(bob: Client) -> None:
    assert (await bob.get(MINE)).data == UNTOUCHED
    known: dict[str, Any] = dict(UNTOUCHED)
    for change in (
        {"notify": "mentions"}, {"deliver": ["webhook", "web_push"]}, {"time_zone": "Europe/Berlin"},
        {"quiet_hours": {"start": "22:00", "end": "07:05"}}, {"show_read": False}, {}, {"quiet_hours": None},
    ):  # fmt: skip
        known |= change
        assert (await bob.patch(MINE, **change)).data == known
        assert (await bob.get(MINE)).data == known
    answer = await bob.patch(MINE, deliver=["web_push", "web_push"])
    assert answer.data["deliver"] == ["web_push"]


async def test_two_devices_do_not_undo_each_other(bob: Client) -> None:
    known = (await bob.get(MINE)).headers["ETag"]
    await bob.patch(MINE, notify="none")
    late = await bob.patch(MINE, headers={"If-Match": known}, notify="all")
    assert (late.status, late.error["code"]) == (412, "stale_version")
    assert (await bob.get(MINE)).data["notify"] == "none"


@pytest.mark.parametrize(
    "body",
    [
        {"notify": "some"}, {"notify": None}, {"deliver": ["fax"]}, {"deliver": "webhook"}, {"time_zone": "Mars/Base"},
        {"time_zone": "../UTC"}, {"quiet_hours": {"start": "22:00"}}, {"quiet_hours": "22-7"}, {"show_read": "no"},
        {"quiet_hours": {"start": "24:00", "end": "07:00"}}, {"quiet_hours": {"start": "7:00", "end": "08:00"}},
        {"sound": "on"},
    ],
)  # fmt: skip
async def test_what_nobody_can_choose(bob: Client, body: dict[str, Any]) -> None:
    assert (await bob.patch(MINE, **body)).status == 400
    assert (await bob.get(MINE)).data == UNTOUCHED


async def test_threads_of_others_have_no_preferences_of_ones_own(alice: Client, bob: Client, root: Client) -> None:
    path = f"/api/v1/threads/{(await alice.thread())['id']}/preferences"
    for client in (bob, root):
        assert (await client.get(path)).status == 404
        assert (await client.patch(path, notify="none")).status == 404
    assert (await alice.patch(path)).data["notify"] is None
