"""Rules of retention: what they let go, what they leave, and what the log of their runs says."""

import pytest

from actors import limits
from actors.commands import Purge
from actors.errors import NotFound
from actors.resources.messages import EditMessage, Message
from actors.resources.retention import ListOutdated, ListRetentionRuns, RemoveOutdated, RetentionRule, Tally
from actors.resources.schedules import CreateSchedule, Moment
from actors.resources.threads import Thread
from storage.readers.answers import answer
from storage.resources.threads import reading as threads
from tests.builders import Ledger
from tests.storage.resources.retention.aging import applied, idle_for
from tests.storage.test_integrity import findings

YEAR = 365


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.limits.HOUSEKEEPING_PAUSE_SECONDS", 0)


def statuses(ledger: Ledger) -> list[str]:
    found = ledger.sql("SELECT status, deleted_at IS NOT NULL FROM thread ORDER BY id")
    return ["DELETED" if is_deleted else status for status, is_deleted in found]


def aged(ledger: Ledger, *days: int) -> list[Thread]:
    ana = ledger.user("ana")
    made = [ledger.thread(ana) for _ in days]
    for thread, ago in zip(made, days, strict=True):
        ledger.post(ana, thread, "0123456789")
        idle_for(ledger, thread, ago)
    return made


def runs(ledger: Ledger) -> list[Tally]:
    return [run.tally for run in ledger.ask(answer, ListRetentionRuns(10)).items]


def test_without_a_rule_nothing_goes(ledger: Ledger) -> None:
    aged(ledger, 10_000)
    assert applied(ledger) == {}
    assert statuses(ledger) == ["ACTIVE"]


def test_idle_threads_are_archived(ledger: Ledger) -> None:
    aged(ledger, 40, 30, 29)
    assert applied(ledger, archive_threads=30)["archive_threads"] == Tally("archive_threads", 2, 2, 0)
    assert statuses(ledger) == ["ARCHIVED", "ARCHIVED", "ACTIVE"]
    assert applied(ledger, archive_threads=30)["archive_threads"].items == 0, "that was an entry of their logs"
    assert runs(ledger) == [Tally("archive_threads", 2, 2, 0)], "a run that took nothing is not in the log"
    assert findings(ledger.path) == {}


def test_idle_threads_are_deleted_with_all_that_is_in_them(ledger: Ledger) -> None:
    _, kept = aged(ledger, 400, 300)
    found = applied(ledger, delete_threads=YEAR)["delete_threads"]
    assert found == Tally("delete_threads", 1, 1 + 1 + 2, len("0123456789{}"))
    assert statuses(ledger) == ["DELETED", "ACTIVE"]
    assert runs(ledger) == [found]
    ledger.sql("UPDATE thread SET deleted_at = deleted_at - 3600001")
    while ledger.do(Purge()).result:
        pass
    assert ledger.sql("SELECT uid FROM thread") == [(kept.id,)]


def test_deleting_comes_before_archiving(ledger: Ledger) -> None:
    aged(ledger, 400, 40)
    found = applied(ledger, archive_threads=30, delete_threads=YEAR)
    assert [(rule, tally.items) for rule, tally in found.items()] == [("delete_threads", 1), ("archive_threads", 1)]
    assert statuses(ledger) == ["DELETED", "ARCHIVED"]


def test_closed_and_archived_threads_are_deleted_but_not_archived(ledger: Ledger) -> None:
    aged(ledger, 400, 400)
    ledger.sql("UPDATE thread SET status = CASE id WHEN 1 THEN 'CLOSED' ELSE 'ARCHIVED' END")
    assert applied(ledger, archive_threads=30)["archive_threads"].items == 0
    assert applied(ledger, delete_threads=YEAR)["delete_threads"].items == 2


def test_a_thread_in_which_a_message_is_scheduled_stays(ledger: Ledger) -> None:
    (thread,) = aged(ledger, 400)
    ana = ledger.user("ana")
    at = ledger.one("SELECT max(created_at) FROM thread") + 86_400_000
    made = CreateSchedule(
        identity=ana, kind="message", thread_id=thread.id, content="happy new year", at=Moment(at, "", "UTC")
    )
    ledger.do(made)
    assert applied(ledger, delete_threads=YEAR)["delete_threads"].items == 0


def test_a_dry_run_looks_at_each_rule_by_itself_and_changes_nothing(ledger: Ledger) -> None:
    aged(ledger, *([400] * 3), 40)
    before = ledger.dump()
    looked = applied(ledger, dry_run=True, archive_threads=30, delete_threads=YEAR, message_revisions=1)
    assert ledger.dump() == before
    by_itself = {"delete_threads": 3, "archive_threads": 4, "message_revisions": 0}
    assert {rule: tally.items for rule, tally in looked.items()} == by_itself
    done = applied(ledger, archive_threads=30, delete_threads=YEAR, message_revisions=1)
    assert done["delete_threads"] == looked["delete_threads"]
    assert done["archive_threads"].items == 4 - 3


@pytest.mark.parametrize(("looked_at", "step"), [(1, 1), (2, 3), (3, 2)])
def test_it_goes_in_small_steps(ledger: Ledger, monkeypatch: pytest.MonkeyPatch, looked_at: int, step: int) -> None:
    monkeypatch.setattr("actors.limits.RETENTION_STEP", step)

    def fewer(rule: RetentionRule, before: int, after: int) -> ListOutdated:
        return ListOutdated(rule, before, after, looked_at)

    monkeypatch.setattr("actors.journal.retention.ListOutdated", fewer)
    aged(ledger, *([400] * 7), 10)
    assert applied(ledger, delete_threads=YEAR)["delete_threads"].items == 7
    assert statuses(ledger) == ["DELETED"] * 7 + ["ACTIVE"]


def test_what_happened_since_it_was_found_counts(ledger: Ledger) -> None:
    (thread,) = aged(ledger, 400)
    ana = ledger.user("ana")
    ledger.post(ana, thread, "still here")
    before = ledger.one("SELECT max(time) FROM event") - 1000
    root = ledger.admin("root")
    for rule in ("delete_threads", "archive_threads"):
        assert ledger.do(RemoveOutdated(root, rule, before, (thread.key,))).result == ()
    assert statuses(ledger) == ["ACTIVE"]


def test_members_and_the_audit_log_learn_of_it(ledger: Ledger) -> None:
    (thread,) = aged(ledger, 400)
    applied(ledger, delete_threads=YEAR)
    with pytest.raises(NotFound):
        ledger.ask(threads.one, ledger.user("ana"), thread.id)
    assert ledger.sql('SELECT type FROM user_event ORDER BY "offset" DESC LIMIT 1') == [("thread.left",)]
    newest = ledger.sql("SELECT action, target_id, credential FROM audit ORDER BY id DESC LIMIT 1")
    assert newest == [("delete_thread", thread.id, "token:retention")]


# Former versions


def edited(ledger: Ledger, times: int) -> tuple[Thread, Message]:
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    message = ledger.post(ana, thread, "draft 0")
    for n in range(times):
        ledger.do(EditMessage(identity=ana, thread_id=thread.id, message_id=message.id, content=f"draft {n + 1}"))
    return thread, message


def test_what_messages_said_before_their_edits(ledger: Ledger) -> None:
    thread, _ = edited(ledger, 3)
    edited(ledger, 2)
    idle_for(ledger, thread, 31)
    edited(ledger, 1)
    found = applied(ledger, message_revisions=30)["message_revisions"]
    assert found == Tally("message_revisions", 2, 5, 5 * len("draft 0"))
    assert ledger.one("SELECT count(*) FROM message_revision") == 1
    assert sorted(ledger.sql("SELECT content FROM message")) == [("draft 1",), ("draft 2",), ("draft 3",)]
    assert findings(ledger.path) == {}


def test_a_page_ends_between_two_messages(ledger: Ledger) -> None:
    for _ in range(3):
        edited(ledger, 2)
    future, after, found = 2**50, 0, []
    for _ in range(3):
        page = ledger.ask(answer, ListOutdated("message_revisions", future, after, 3))
        found += [(each.key, each.rows) for each in page.found]
        after = page.next or 0
    assert [rows for _, rows in found] == [2, 2, 2]
    assert len(dict(found)) == 3
    assert after == 0


# The log of runs


def test_runs_go_after_a_year(ledger: Ledger) -> None:
    aged(ledger, 40)
    applied(ledger, archive_threads=30)
    assert ledger.do(Purge()).result == 0
    ledger.sql("UPDATE retention_run SET started_at = started_at - ?", limits.RETENTION_LOG_SECONDS * 1000 + 60_000)
    assert ledger.do(Purge()).result == 1
    assert runs(ledger) == []
