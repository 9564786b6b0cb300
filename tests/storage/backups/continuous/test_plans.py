"""Which segments follow a backup, and which are kept."""

from datetime import UTC, datetime, timedelta

from storage.backups.continuous.marks import Mark
from storage.backups.continuous.plans import holds_until, made_at, plans, windows
from storage.backups.continuous.pruning import reach
from storage.backups.continuous.segments import Segment
from storage.backups.continuous.survey import Survey
from storage.backups.shelf import Backup, backup_of, dated, name_of

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
ONE, TWO = "1" * 16, "2" * 16


def backup(hours: float, name: str) -> Backup:
    return Backup(name, NOON + timedelta(hours=hours), 1)


def segments(lineage: str, first: int, last: int, hours: float = 0.0) -> list[Segment]:
    """A second apart."""
    begin = made_at(backup(hours, ""))
    return [Segment(lineage, number, begin + 1000 * number) for number in range(first, last + 1)]


def test_the_newest_time_is_reached_by_the_fewest_segments() -> None:
    old, new = backup(0, "old"), backup(0.0005, "new")
    marks = {"old": Mark(ONE, 0, 0), "new": Mark(ONE, 4, 6)}
    first, second = plans([old, new], marks, segments(ONE, 1, 9))
    assert (first.backup.name, [each.number for each in first.segments]) == ("new", [5, 6, 7, 8, 9])
    assert (second.backup.name, len(second.segments), second.reaches) == ("old", 9, first.reaches)


def test_a_state_in_between_was_never_one() -> None:
    """The second backup is whole from the sixth on: up to then the first one reaches further."""
    old, new = backup(0, "old"), backup(0.0005, "new")
    marks = {"old": Mark(ONE, 0, 0), "new": Mark(ONE, 4, 6)}
    first, second = plans([old, new], marks, segments(ONE, 1, 5))
    assert (first.backup.name, len(first.segments)) == ("old", 5)
    assert (second.backup.name, second.segments) == ("new", ())


def test_a_gap_ends_it_and_is_named() -> None:
    found = [each for each in segments(ONE, 1, 9) if each.number != 4]
    (plan,) = plans([backup(0, "old")], {"old": Mark(ONE, 0, 0)}, found)
    assert (len(plan.segments), plan.missing, plan.newest_at) == (3, 4, found[-1].at)


def test_nothing_later_than_the_time_asked_for() -> None:
    late, early, found = backup(1, "late"), backup(0, "early"), segments(ONE, 1, 9)
    (plan,) = plans([late, early], {"early": Mark(ONE, 0, 0)}, found, until=found[4].at)
    assert (plan.backup.name, len(plan.segments), plan.missing) == ("early", 5, None)
    (plan,) = plans([late, early], {"early": Mark(ONE, 0, 0)}, found, until=found[4].at - 1)
    assert len(plan.segments) == 4


def test_what_may_have_been_dropped_is_not_passed_off_as_nothing() -> None:
    early, late = backup(0, "early"), backup(1, "late")
    marks, found = {"early": Mark(ONE, 0, 0), "late": Mark(TWO, 0, 0)}, segments(ONE, 1, 9)
    (plan,) = plans([late, early], marks, found, until=found[8].at + 5_000)
    assert plan.gap_until == made_at(late), "the lineage ends before, and another one begins there"
    (plan,) = plans([late, early], marks, found, until=found[4].at + 100)
    assert plan.gap_until is None, "the next segment says that nothing is missing"
    (plan,) = plans([late, early], marks | {"late": Mark(ONE, 9, 9)}, found, until=found[8].at + 5_000)
    assert plan.gap_until is None, "nothing was written until the next backup of the same lineage"
    (plan,) = plans([early], marks, found, until=found[8].at + 5_000)
    assert plan.gap_until is None, "nothing is later"


def test_segments_of_another_lineage_are_none_of_its_own() -> None:
    (plan,) = plans([backup(0, "old")], {"old": Mark(ONE, 0, 0)}, segments(TWO, 1, 3))
    assert (plan.segments, plan.reaches) == ((), holds_until(plan.backup))


def test_times_that_can_be_reached_are_joined_by_lineage() -> None:
    backups = [backup(2, "c"), backup(0.001, "b"), backup(0, "a")]
    marks = {"a": Mark(ONE, 0, 0), "b": Mark(ONE, 3, 3), "c": Mark(TWO, 0, 0)}
    found = [*segments(ONE, 1, 9), *segments(TWO, 1, 2, hours=2)]
    newer, older = windows(plans(backups, marks, found))
    assert older == (made_at(backups[2]), found[8].at)
    assert newer == (made_at(backups[0]), found[-1].at)


def survey(*backups: Backup, **marks: Mark) -> Survey:
    return Survey(backups, marks, (), frozenset())


def test_segments_are_kept_from_the_newest_backup_before_the_days_on() -> None:
    found = survey(
        backup(-1, "d"), backup(-23, "c"), backup(-30, "b"), backup(-60, "a"),
        d=Mark(TWO, 5, 5), c=Mark(TWO, 0, 1), b=Mark(ONE, 70, 71), a=Mark(ONE, 2, 3),
    )  # fmt: skip
    kept = reach(found, days=1, now=NOON)
    assert kept is not None
    assert (kept.oldest.name, kept.lineages) == ("b", {TWO: 0, ONE: 70})
    assert [kept.needs(each) for each in segments(ONE, 69, 71)] == [False, False, True]
    assert not kept.needs(Segment("3" * 16, 1, 1)), "no backup begins it"


def test_without_an_older_one_all_from_the_oldest_on() -> None:
    kept = reach(survey(backup(-1, "a"), a=Mark(ONE, 2, 3)), days=3, now=NOON)
    assert kept is not None
    assert kept.lineages == {ONE: 2}
    assert reach(survey(backup(-1, "a")), days=3, now=NOON) is None


def test_a_time_within_the_second_in_which_a_backup_was_made_is_one_before_it() -> None:
    """A name has whole seconds: what it is dated by is never before what it holds."""
    moment = datetime(2026, 11, 29, 14, 5, 0, 700_000, UTC)
    found = Backup(name_of(dated(moment), 9, sealed=False), dated(moment), 9)
    assert backup_of(found.name) == found
    assert plans([found], {}, [], until=milliseconds(moment) - 1) == []
    (plan,) = plans([found], {}, [], until=made_at(found))
    assert plan.reaches <= milliseconds(moment) <= made_at(found), "a segment of that moment may hold more"


def milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
