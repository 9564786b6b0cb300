"""Which segments are kept: those from which a time of the last days can be reached, by the backups that are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from storage.backups.continuous.marks import Mark
from storage.backups.continuous.segments import Segment
from storage.backups.continuous.survey import Survey
from storage.backups.shelf import Backup


@dataclass(frozen=True, slots=True)
class Reach:
    """How far back times can be reached."""

    oldest: Backup
    """From which segments are kept."""
    lineages: dict[str, int]
    """The lineages that are kept → the number after which their segments are."""

    def needs(self, segment: Segment) -> bool:
        after = self.lineages.get(segment.lineage)
        return after is not None and segment.number > after


def reach(found: Survey, days: int, now: datetime) -> Reach | None:
    """None where no backup is continued."""
    continued = [(backup, found.marks[backup.name]) for backup in found.backups if backup.name in found.marks]
    if not continued:
        return None
    begin = _begin(continued, now - timedelta(days=days))
    lineages: dict[str, int] = {}
    for _, mark in continued[: begin + 1]:  # the newest first: the oldest of a lineage has the last word
        lineages[mark.lineage] = mark.after
    return Reach(continued[begin][0], lineages)


def _begin(continued: Sequence[tuple[Backup, Mark]], before: datetime) -> int:
    """Of the newest that is older than the whole time; else of the oldest."""
    older = (index for index, (backup, _) in enumerate(continued) if backup.made_at <= before)
    return next(older, len(continued) - 1)
