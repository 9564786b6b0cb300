"""`xp retention`: a dry run, a run, and the log of runs."""

import pytest

from tests.builders import Ledger
from tests.cli.conftest import Xp
from tests.storage.resources.retention.aging import idle_for


@pytest.fixture
def old(ledger: Ledger) -> str:
    """A thread in which nothing has happened for 400 days."""
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    ledger.post(ana, thread, "long ago")
    idle_for(ledger, thread, 400)
    return thread.id


def status(ledger: Ledger) -> tuple[str, bool]:
    (found,) = ledger.sql("SELECT status, deleted_at IS NOT NULL FROM thread")
    return found[0], bool(found[1])


def test_without_rules(xp: Xp, old: str) -> None:
    ran = xp("retention", "run")
    assert ran.code == 0
    assert ran.out.startswith("No rule is set, so nothing goes; set one of THREAD_DELETE_DAYS, ")


def test_a_dry_run(xp: Xp, ledger: Ledger, old: str) -> None:
    ran = xp("retention", "run", "--dry-run", "--thread-delete-days", "365", "--json")
    tally = {"rule": "delete_threads", "items": 1, "rows": 4, "size": len("long ago{}")}
    assert ran.json == {"dry_run": True, "rules": [tally]}
    assert "Nothing was changed." in xp("retention", "run", "--dry-run", "--thread-delete-days", "365").out
    assert status(ledger) == ("ACTIVE", False)


def test_a_run_and_its_log(xp: Xp, ledger: Ledger, old: str) -> None:
    ran = xp("retention", "run", THREAD_ARCHIVE_DAYS="30", THREAD_DELETE_DAYS="500")
    assert "archive_threads" in ran.out
    assert status(ledger) == ("ARCHIVED", False)
    (run,) = xp("retention", "log", "--json").json
    assert (run["rule"], run["items"], run["rows"], run["size"]) == ("archive_threads", 1, 1, 0)
    assert "archive_threads" in xp("retention", "log").out


@pytest.mark.parametrize("days", ["0", "-1", "soon", "40000"])
def test_days_that_are_none(xp: Xp, days: str) -> None:
    ran = xp("retention", "run", THREAD_DELETE_DAYS=days)
    assert "THREAD_DELETE_DAYS" in ran.err
    assert "expected a number" in ran.err
