"""When the rules of retention are applied, and in which steps; what each takes is tested with the store."""

import time
from typing import Any

import pytest

from actors import limits
from actors.auth.system import ENSURE_SYSTEM
from actors.errors import Internal, StorageUnavailable
from actors.journal.retention import Retention
from actors.outcomes import Done
from actors.resources.retention import (
    DAY_MS,
    ListOutdated,
    NoteRetentionRun,
    Outdated,
    OutdatedPage,
    RemoveOutdated,
    RetentionRules,
    Tally,
)
from tests.builders import user


def retention(**days: int) -> Retention:
    nothing: Any = None
    return Retention(nothing, nothing, RetentionRules(**days), first_seconds=3_600)


async def test_rules_are_applied_until_the_end() -> None:
    made = retention(delete_threads=30)
    made.start()
    assert made._periodic.is_running
    await made.stop()
    assert not made._periodic.is_running


async def test_without_a_rule_nothing_runs() -> None:
    made = retention()
    made.start()
    assert not made._periodic.is_running
    await made.stop()


class Archive:
    """The readers and the journal: three items are outdated by each rule, on two pages with an empty one between."""

    def __init__(self) -> None:
        self.pages = {0: ([1, 2], 2), 2: ([], 5), 5: ([6], None)}
        self.looked: list[ListOutdated] = []
        self.written: list[Any] = []
        self.kept: set[int] = set()
        """What the journal does not take."""
        self.fails_after: int | None = None
        """So many steps."""
        self.defective = ""
        """A rule whose steps fail."""

    async def ask(self, query: ListOutdated) -> OutdatedPage:
        self.looked.append(query)
        keys, following = self.pages[query.after]
        return OutdatedPage(tuple(Outdated(key, 10, 100 * key) for key in keys), following)

    async def write(self, command: Any) -> Done[Any]:
        if command is ENSURE_SYSTEM:
            return Done(user(9))
        if isinstance(command, RemoveOutdated) and len(self.steps) == self.fails_after:
            raise StorageUnavailable("The disk is full.")
        if isinstance(command, RemoveOutdated) and command.rule == self.defective:
            raise Internal
        self.written.append(command)
        return Done(tuple(set(getattr(command, "keys", ())) - self.kept))

    @property
    def steps(self) -> list[RemoveOutdated]:
        return [command for command in self.written if isinstance(command, RemoveOutdated)]

    @property
    def runs(self) -> list[NoteRetentionRun]:
        return [command for command in self.written if isinstance(command, NoteRetentionRun)]


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch) -> Archive:
    monkeypatch.setattr(limits, "HOUSEKEEPING_PAUSE_SECONDS", 0)
    return Archive()


def over(archive: Archive, **days: int) -> Retention:
    reads: Any = archive
    return Retention(archive.write, reads, RetentionRules(**days))


async def test_looking_takes_nothing(archive: Archive) -> None:
    now = time.time_ns() // 1_000_000
    tallies = await over(archive, delete_threads=30, audit_entries=1).look()
    assert tallies == [Tally("delete_threads", 3, 30, 900), Tally("audit_entries", 3, 30, 900)]
    assert archive.written == []
    assert [query.after for query in archive.looked] == [0, 2, 5] * 2
    for query, days in zip(archive.looked, [30] * 3 + [1] * 3, strict=True):
        assert 0 <= query.before - (now - days * DAY_MS) < 60_000


@pytest.mark.parametrize(
    ("rule", "limit"), [("delete_threads", "RETENTION_STEP"), ("audit_entries", "RETENTION_AUDIT_STEP")]
)
async def test_each_rule_takes_what_it_found_in_steps(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, rule: Any, limit: str
) -> None:
    for each in ("RETENTION_STEP", "RETENTION_AUDIT_STEP"):
        monkeypatch.setattr(limits, each, 1 if each == limit else 100)
    began = time.time_ns() // 1_000_000
    assert await over(archive, **{rule: 30}).apply() == [Tally(rule, 3, 30, 900)]
    assert [step.keys for step in archive.steps] == [(1,), (2,), (6,)]
    assert {(step.rule, step.before) for step in archive.steps} == {(rule, archive.looked[0].before)}
    assert {(step.identity.token_id, step.identity.is_admin) for step in archive.steps} == {("retention", True)}
    (run,) = archive.runs
    assert run.tally == Tally(rule, 3, 30, 900)
    assert 0 <= run.started_at - began < 60_000


async def test_what_the_journal_did_not_take_is_not_counted(archive: Archive) -> None:
    archive.kept = {2}
    assert await over(archive, message_revisions=1).apply() == [Tally("message_revisions", 2, 20, 700)]
    assert [step.keys for step in archive.steps] == [(1, 2), (6,)]


async def test_a_run_that_took_nothing_is_not_noted(archive: Archive) -> None:
    archive.kept = {1, 2, 6}
    assert await over(archive, archive_threads=1).apply() == [Tally("archive_threads")]
    assert archive.runs == []


async def test_what_was_taken_before_a_failure_is_noted(archive: Archive) -> None:
    archive.fails_after = 1
    with pytest.raises(StorageUnavailable):
        await over(archive, archive_threads=1).apply()
    assert [run.tally for run in archive.runs] == [Tally("archive_threads", 2, 20, 300)]


async def test_a_defect_in_one_rule_stops_no_other(archive: Archive) -> None:
    archive.defective = "archive_threads"
    with pytest.raises(Internal):
        await over(archive, archive_threads=1, audit_entries=1).apply()
    assert {step.rule for step in archive.steps} == {"audit_entries"}
