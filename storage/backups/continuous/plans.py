"""Which backup, and which segments after it, bring the database to a time: from names and marks alone."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from storage.backups.continuous.marks import Mark
from storage.backups.continuous.segments import Segment
from storage.backups.shelf import Backup, earliest


@dataclass(frozen=True, slots=True)
class Plan:
    backup: Backup
    segments: tuple[Segment, ...] = ()
    """In order, without a gap."""
    whole_from: int = 0
    """Number of the first segment after which the database is as it was at one moment."""
    newest_at: int = 0
    """Of the newest segment that belongs to it, also beyond a gap: milliseconds since 1970."""
    missing: int | None = None
    """Number of the segment that is missing before that one."""
    gap_until: int | None = None
    """Of the first state after the time asked for, where what was written in between may be on no shelf: milliseconds
    since 1970. None where the segments go on, or nothing is later."""

    @property
    def reaches(self) -> int:
        """At the least: milliseconds since 1970."""
        return self.segments[-1].at if self.segments else holds_until(self.backup)


def made_at(backup: Backup) -> int:
    """Nothing in it is later: milliseconds since 1970."""
    return int(backup.made_at.timestamp() * 1000)


def holds_until(backup: Backup) -> int:
    """All that was before is in it."""
    return int(earliest(backup).timestamp() * 1000)


def plans(
    backups: Iterable[Backup], marks: Mapping[str, Mark], segments: Iterable[Segment], until: int | None = None
) -> list[Plan]:
    """The one that reaches furthest first; of those that reach as far, the one with the fewest segments. `marks` by
    name of the backup. `until`: nothing that was written later."""
    backups, segments = tuple(backups), tuple(segments)
    lineages = _lineages(segments, until)
    found = [_plan(backup, marks.get(backup.name), lineages) for backup in backups]
    if until is not None:
        found = [plan for plan in found if plan.segments or made_at(plan.backup) <= until]
        there = {(segment.lineage, segment.number) for segment in segments}
        later = {backup.name: made_at(backup) for backup in backups if made_at(backup) > until}
        found = [replace(plan, gap_until=_gap_until(plan, marks, there, later)) for plan in found]
    return sorted(found, key=lambda plan: (plan.reaches, -len(plan.segments)), reverse=True)


def windows(found: Iterable[Plan]) -> list[tuple[int, int]]:
    """(begin, end) in milliseconds: any time in between can be restored to the second, the newest first."""
    spans = sorted(
        (made_at(plan.backup), plan.reaches) for plan in found if plan.segments and plan.reaches >= made_at(plan.backup)
    )
    joined: list[tuple[int, int]] = []
    for begin, end in spans:
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((begin, end))
    return joined[::-1]


def _lineages(segments: Iterable[Segment], until: int | None) -> dict[str, list[Segment]]:
    found: dict[str, list[Segment]] = {}
    for segment in sorted(segments, key=lambda each: (each.number, each.at)):
        if until is None or segment.at <= until:
            found.setdefault(segment.lineage, []).append(segment)
    return found


def _plan(backup: Backup, mark: Mark | None, lineages: Mapping[str, Sequence[Segment]]) -> Plan:
    if mark is None:
        return Plan(backup)
    following = [segment for segment in lineages.get(mark.lineage, ()) if segment.number > mark.after]
    run = _run(following, mark.after + 1)
    newest_at = following[-1].at if following else 0
    missing = mark.after + 1 + len(run) if len(run) < len(following) else None
    if mark.after + len(run) < mark.whole_from:
        run = ()
    return Plan(backup, run, mark.whole_from, newest_at, missing)


def _gap_until(
    plan: Plan, marks: Mapping[str, Mark], there: Container[tuple[str, int]], later: Mapping[str, int]
) -> int | None:
    mark = marks.get(plan.backup.name)
    if mark is not None:
        if (mark.lineage, mark.after + len(plan.segments) + 1) in there:
            return None
        later = {name: at for name, at in later.items() if name not in marks or marks[name].lineage != mark.lineage}
    return min(later.values(), default=None)


def _run(segments: Sequence[Segment], first: int) -> tuple[Segment, ...]:
    for index, segment in enumerate(segments):
        if segment.number != first + index:
            return tuple(segments[:index])
    return tuple(segments)
