"""`BACKUP_KEEP`: which backups are kept. Of each hour, day, week and month the newest backup stands for all of it."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol, TypeVar

from actors import limits

EXPECTED = (
    "expected numbers of backups such as newest=3,hourly=24,daily=7,weekly=5,monthly=12, and continuous=3 for days"
)

_PERIODS: dict[str, Callable[[datetime], tuple[int, ...]]] = {
    "hourly": lambda at: (at.year, at.month, at.day, at.hour),
    "daily": lambda at: (at.year, at.month, at.day),
    "weekly": lambda at: at.isocalendar()[:2],
    "monthly": lambda at: (at.year, at.month),
}


class Dated(Protocol):
    @property
    def made_at(self) -> datetime: ...


T = TypeVar("T", bound=Dated)


@dataclass(frozen=True, slots=True)
class Keeping:
    newest: int
    """The newest backups, which are kept at any age; at least 1."""
    periods: tuple[tuple[str, int], ...]
    continuous_days: int
    """Back to which any time can be restored by continuous backup, as far as there are backups to begin from."""
    text: str

    def __str__(self) -> str:
        return self.text


def parse(text: str) -> Keeping:
    """Raises `ValueError` with what was expected."""
    numbers: dict[str, int] = {}
    for part in text.replace(" ", "").split(","):
        match = re.fullmatch(r"([a-z]+)=([0-9]{1,5})", part)
        if (
            match is None
            or match[1] not in ("newest", "continuous", *_PERIODS)
            or match[1] in numbers
            or int(match[2]) > limits.BACKUPS_KEPT
        ):
            raise ValueError(f"{EXPECTED}; got {part!r}")
        numbers[match[1]] = int(match[2])
    newest, days = max(1, numbers.pop("newest", 1)), numbers.pop("continuous", limits.CONTINUOUS_DAYS)
    return Keeping(newest, tuple(numbers.items()), days, text)


def kept(backups: Iterable[T], rules: Keeping) -> list[T]:
    """Those to keep, the newest first."""
    ordered = sorted(backups, key=lambda backup: backup.made_at, reverse=True)
    chosen = set(range(min(rules.newest, len(ordered))))
    for name, number in rules.periods:
        chosen |= _newest_of_each(ordered, _PERIODS[name], number)
    return [backup for index, backup in enumerate(ordered) if index in chosen]


def _newest_of_each(ordered: list[T], period: Callable[[datetime], tuple[int, ...]], number: int) -> set[int]:
    """Of the last so many periods in which there is any."""
    first: dict[tuple[int, ...], int] = {}
    for index, backup in enumerate(ordered):
        first.setdefault(period(backup.made_at.astimezone(UTC)), index)
    return set(list(first.values())[:number])
