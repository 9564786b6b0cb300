"""`xp why`."""

from actors.identifiers import new_id
from actors.resources.notifications import ReadAllNotifications, UpdatePreferences
from actors.resources.outbox import RecordFailed
from actors.resources.push import Subscribe
from storage.resources.notifications import reading as notifications
from tests.builders import Ledger
from tests.cli.conftest import Xp
from tests.storage.resources.artifacts.desk import Desk


def newest(ledger: Ledger, name: str) -> str:
    return ledger.ask(notifications.page, ledger.user(name), limit=1, before=None, unread=False).items[0].id


def test_why_a_user_was_notified_and_what_left_the_server(xp: Xp, ledger: Ledger) -> None:
    ana, bob = ledger.user("ana"), ledger.user("bob")
    thread = ledger.thread(ana, bob)
    command = UpdatePreferences(identity=bob, deliver=("web_push",), quiet=(22 * 60, 7 * 60), time_zone="Europe/Berlin")
    ledger.do(command)
    ledger.do(Subscribe(identity=bob, endpoint="https://push.example.com/1", p256dh=b"x", auth=b"y", name="Phone"))
    message = ledger.post(ana, thread, "@bob a secret plan")
    found = newest(ledger, "bob")
    key = ledger.one("SELECT id FROM outbox ORDER BY id DESC LIMIT 1")
    assert ledger.do(RecordFailed((key,), "refused", retry=False)).result == "failed"
    shown = xp("why", "notified", found)
    assert f"mentioned the user in message {message.id}" in shown.out
    assert "22:00 to 07:00, Europe/Berlin" in shown.out
    assert "the push service or mail server refused it" in shown.out
    assert "secret" not in shown.out
    told = xp("why", "notified", found, "--json").json
    (row,) = told["rows"]
    assert (row["way"], row["state"], row["attempts"], row["error"]) == ("web_push", "failed", 1, "refused")
    assert (told["devices"], told["has_address"], told["read_at"]) == (1, False, None)


def test_why_by_a_comment(xp: Xp, ledger: Ledger) -> None:
    ana, bob = ledger.user("ana"), ledger.user("bob")
    thread, desk = ledger.thread(ana, bob), Desk(ledger)
    comment = desk.comment(ana, desk.create(ana, thread), "@bob, look")
    found = newest(ledger, "bob")
    shown = xp("why", "notified", found).out
    assert f"mentioned the user in comment {comment.id}" in shown
    assert "None" not in shown
    told = xp("why", "notified", found, "--json").json
    assert (told["artifact_id"], told["comment_id"]) == (comment.artifact_id, comment.id)


def test_of_what_was_read_before_nothing_left(xp: Xp, ledger: Ledger) -> None:
    ana, bob = ledger.user("ana"), ledger.user("bob")
    ledger.do(UpdatePreferences(identity=bob, deliver=("web_push",)))
    ledger.thread(ana, bob)
    found = newest(ledger, "bob")
    ledger.do(ReadAllNotifications(identity=bob))
    told = xp("why", "notified", found, "--json").json
    assert (told["kind"], told["rows"]) == ("added", [])
    assert told["read_at"] is not None


def test_there_is_no_such_notification(xp: Xp, ledger: Ledger) -> None:
    ledger.user("ana")
    assert xp("why", "notified", new_id()).sentence.startswith("There is no notification")
