"""What waits to be delivered outside: written with its cause, due after the quiet hours, gone with the news."""

from datetime import UTC, datetime
from typing import Any

import pytest

from actors import commands, limits
from actors.auth.identity import Identity
from actors.resources.members import MarkRead, RemoveMember
from actors.resources.messages import DeleteMessage, Message
from actors.resources.notifications import (
    DeliveryKind,
    DismissNotification,
    ReadAllNotifications,
    ReadNotification,
    UpdatePreferences,
)
from actors.resources.outbox import CountWaiting
from actors.resources.threads import Thread
from storage.readers.answers import answer
from storage.resources.notifications import reading as notifications
from tests.builders import Ledger

BOTH: tuple[DeliveryKind, ...] = ("web_push", "webhook")


@pytest.fixture
def bob(ledger: Ledger) -> Identity:
    """Wants to be told outside, too."""
    bob = ledger.user("bob")
    ledger.do(UpdatePreferences(identity=bob, deliver=BOTH))
    return bob


@pytest.fixture
def thread(ledger: Ledger, ana: Identity, bob: Identity) -> Thread:
    """Where nothing waits yet."""
    made = ledger.thread(ana, bob)
    ledger.do(ReadAllNotifications(identity=bob))
    assert waiting(ledger) == []
    return made


def waiting(ledger: Ledger) -> list[str]:
    return [kind for (kind,) in ledger.sql("SELECT kind FROM outbox WHERE state = 'pending' ORDER BY id")]


def newest(ledger: Ledger, who: Identity) -> str:
    return ledger.ask(notifications.page, who, limit=1, before=None, unread=False).items[0].id


def test_it_is_written_with_its_cause(ledger: Ledger, ana: Identity, bob: Identity, thread: Thread) -> None:
    ledger.post(ana, thread, "@bob @ana")
    ledger.reopen()
    rows = ledger.sql(
        "SELECT o.user_id, o.kind, o.attempts, o.state, n.uid, o.not_before = n.created_at, o.created_at = n.created_at"
        " FROM outbox AS o JOIN notification AS n ON n.id = o.notification_id ORDER BY o.id"
    )
    found = newest(ledger, bob)
    assert rows == [(bob.user.key, kind, 0, "pending", found, 1, 1) for kind in BOTH]


def test_who_has_chosen_no_way_outside_leaves_none(
    ledger: Ledger, ana: Identity, bob: Identity, thread: Thread
) -> None:
    ledger.do(UpdatePreferences(identity=bob, deliver=()))
    ledger.post(bob, thread, "@ana")
    ledger.post(ana, thread, "@bob")
    assert waiting(ledger) == []


def test_a_refused_message_leaves_none(ledger: Ledger, bob: Identity, thread: Thread) -> None:
    stranger = ledger.user("eve")
    with pytest.raises(Exception, match="thread"):
        ledger.post(stranger, thread, "@bob")
    assert waiting(ledger) == []
    assert ledger.one("SELECT count(*) FROM notification WHERE read_at IS NULL") == 0


@pytest.mark.parametrize("is_quiet", [True, False])
def test_quiet_hours_put_it_off(ledger: Ledger, ana: Identity, bob: Identity, thread: Thread, is_quiet: bool) -> None:
    """Hours around now, or those opposite; the feed is told at once either way."""
    now = datetime.now(UTC)
    minute = now.hour * 60 + now.minute
    start, end = (
        ((minute - 60) % 1440, (minute + 60) % 1440) if is_quiet else ((minute + 600) % 1440, (minute + 700) % 1440)
    )
    ledger.do(UpdatePreferences(identity=bob, quiet=(start, end), time_zone="UTC"))
    ledger.post(ana, thread, "@bob")
    (delays,) = {tuple(row) for row in ledger.sql("SELECT not_before - created_at, not_before % 60000 FROM outbox")}
    if is_quiet:
        assert 58 * 60_000 < delays[0] <= 60 * 60_000
        assert delays[1] == 0
    else:
        assert delays[0] == 0
    assert ledger.ask(notifications.unread_count, bob) == 1


def _read_thread(bob: Identity, ana: Identity, message: Message, found: str) -> Any:
    return MarkRead(identity=bob, thread_id=message.thread_id, offset=message.offset)


def _read_one(bob: Identity, ana: Identity, message: Message, found: str) -> Any:
    return ReadNotification(identity=bob, notification_id=found)


def _read_all(bob: Identity, ana: Identity, message: Message, found: str) -> Any:
    return ReadAllNotifications(identity=bob)


def _dismiss(bob: Identity, ana: Identity, message: Message, found: str) -> Any:
    return DismissNotification(identity=bob, notification_id=found)


def _delete(bob: Identity, ana: Identity, message: Message, found: str) -> Any:
    return DeleteMessage(identity=ana, thread_id=message.thread_id, message_id=message.id)


def _remove(bob: Identity, ana: Identity, message: Message, found: str) -> Any:
    return RemoveMember(identity=ana, thread_id=message.thread_id, user_id=bob.user.id)


@pytest.mark.parametrize("step", [_read_thread, _read_one, _read_all, _dismiss, _delete, _remove])
def test_it_is_withdrawn_when_it_is_no_news(
    ledger: Ledger, ana: Identity, bob: Identity, thread: Thread, step: Any
) -> None:
    message = ledger.post(ana, thread, "@bob")
    assert waiting(ledger) == list(BOTH)
    ledger.do(step(bob, ana, message, newest(ledger, bob)))
    assert waiting(ledger) == []


def test_by_a_way_that_was_given_up_nothing_leaves_any_more(
    ledger: Ledger, ana: Identity, bob: Identity, thread: Thread
) -> None:
    ledger.do(UpdatePreferences(identity=ana, deliver=BOTH))
    ledger.post(bob, thread, "@ana")
    ledger.post(ana, ledger.thread(ana, bob), "@bob")
    ledger.sql("DELETE FROM outbox WHERE notification_id IN (SELECT id FROM notification WHERE kind = 'added')")
    ledger.do(UpdatePreferences(identity=bob, deliver=("email", "webhook")))
    left = ledger.sql("SELECT user_id, kind FROM outbox ORDER BY id")
    assert left == [*((ana.user.key, kind) for kind in BOTH), (bob.user.key, "webhook")]


def test_only_what_the_server_sends_from_it_waits(ledger: Ledger, ana: Identity, bob: Identity, thread: Thread) -> None:
    """What a webhook gets is queued for it from its user's log."""
    ledger.post(ana, thread, "@bob")
    waits = ledger.ask(answer, CountWaiting())
    assert {way: found.count for way, found in waits.items()} == {"email": 0, "web_push": 1, "webhook": 0}


def test_what_was_sent_already_is_not_withdrawn(ledger: Ledger, ana: Identity, bob: Identity, thread: Thread) -> None:
    ledger.post(ana, thread, "@bob")
    ledger.sql("UPDATE outbox SET state = 'sent' WHERE kind = 'webhook'")
    ledger.do(ReadAllNotifications(identity=bob))
    assert ledger.sql("SELECT kind, state FROM outbox") == [("webhook", "sent")]


def test_what_is_due_is_found_by_its_index(ledger: Ledger) -> None:
    plan = ledger.sql("EXPLAIN QUERY PLAN SELECT id FROM outbox WHERE state = 'pending' AND not_before <= 5")
    assert "outbox_due" in plan[0][3]


# What is old

OLD = {
    "outbox": ("created_at", limits.OUTBOX_SECONDS), "notification": ("created_at", limits.NOTIFICATION_SECONDS),
    "user_event": ("time", limits.USER_EVENT_SECONDS),
}  # fmt: skip


@pytest.mark.parametrize("table", OLD)
def test_what_is_old_goes_in_small_steps(
    ledger: Ledger, ana: Identity, bob: Identity, thread: Thread, table: str
) -> None:
    column, seconds = OLD[table]
    for n in range(4):
        ledger.post(ana, thread, f"@bob {n}")
    before = ledger.one(f"SELECT count(*) FROM {table}")
    oldest = "SELECT rowid FROM {0} ORDER BY rowid LIMIT 3" if table != "user_event" else None
    where = f"rowid IN ({oldest.format(table)})" if oldest else f'user_id = {bob.user.key} AND "offset" <= 3'
    ledger.sql(f"UPDATE {table} SET {column} = {column} - {seconds * 1000 + 60_000} WHERE {where}")
    ledger.do(commands.Purge(rows=2))
    assert ledger.one(f"SELECT count(*) FROM {table}") == before - 2
    ledger.do(commands.Purge(rows=100))
    assert ledger.one(f"SELECT count(*) FROM {table}") == before - 3
    ledger.do(commands.Purge(rows=100))
    assert ledger.one(f"SELECT count(*) FROM {table}") == before - 3


def test_a_log_keeps_its_newest_thousand(ledger: Ledger, bob: Identity) -> None:
    before = ledger.one('SELECT "offset" FROM user_log WHERE user_id = ?', bob.user.key)
    more = limits.USER_EVENTS + 7
    ledger.apply(*(UpdatePreferences(identity=bob, show_read=n % 2 == 1) for n in range(more)))
    for rows in (5, 100, 100):
        ledger.do(commands.Purge(rows=rows))
    head, first = ledger.sql('SELECT "offset", "first" FROM user_log WHERE user_id = ?', bob.user.key)[0]
    assert (head, first) == (before + more, before + more - limits.USER_EVENTS + 1)
    kept = [
        offset for (offset,) in ledger.sql('SELECT "offset" FROM user_event WHERE user_id = ? ORDER BY 1', bob.user.key)
    ]
    assert kept == list(range(first, head + 1))
