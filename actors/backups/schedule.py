"""`BACKUP_SCHEDULE`: an interval such as `6h`, or five fields as cron has them, in UTC."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from actors import limits

EXPECTED = "expected an interval such as 30min, 6h or 1d, or five fields of cron in UTC such as 0 3 * * *"
_UNITS = {"min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 7))


@dataclass(frozen=True, slots=True)
class Interval:
    """After the last backup, however long the server was away."""

    length: timedelta
    text: str

    def next_after(self, moment: datetime) -> datetime:
        return moment + self.length

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Cron:
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    """0 is Sunday."""
    either_day: bool
    """As cron has it: where both kinds of days are restricted, one of them is enough."""
    text: str

    def next_after(self, moment: datetime) -> datetime:
        start = moment.astimezone(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
        return next(found for found in self._moments(start) if found >= start)

    def _moments(self, start: datetime) -> Iterator[datetime]:
        for number in range(limits.SCHEDULE_DAYS):
            day = start.replace(hour=0, minute=0) + timedelta(days=number)
            if self._is_on(day):
                yield from (
                    day.replace(hour=hour, minute=minute)
                    for hour in sorted(self.hours)
                    for minute in sorted(self.minutes)
                )

    def _is_on(self, day: datetime) -> bool:
        by_date, by_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        fits = by_date or by_weekday if self.either_day else by_date and by_weekday
        return fits and day.month in self.months

    def __str__(self) -> str:
        return self.text


Schedule = Interval | Cron


def parse(text: str) -> Schedule:
    """Raises `ValueError` with what was expected."""
    interval = re.fullmatch(r"([1-9][0-9]{0,4}) ?(min|h|d)", text)
    if interval:
        return _interval(int(interval[1]) * _UNITS[interval[2]], text)
    fields = text.split()
    if len(fields) != len(_FIELDS):
        raise ValueError(EXPECTED)
    return _cron(fields)


def _interval(length: timedelta, text: str) -> Interval:
    if not timedelta(minutes=5) <= length <= timedelta(days=31):
        raise ValueError("expected an interval from 5min to 31d")
    return Interval(length, text)


def _cron(fields: list[str]) -> Cron:
    minutes, hours, days, months, weekdays = (
        _values(field, *bounds) for field, bounds in zip(fields, _FIELDS, strict=True)
    )
    cron = Cron(
        minutes, hours, days, months, frozenset(day % 7 for day in weekdays),
        either_day="*" not in (fields[2][0], fields[4][0]), text=" ".join(fields),
    )  # fmt: skip
    try:
        cron.next_after(datetime(2024, 1, 1, tzinfo=UTC))
    except StopIteration:
        raise ValueError("expected a day that exists; this one never comes") from None
    return cron


def _values(field: str, name: str, low: int, high: int) -> frozenset[int]:
    """`*`, `*/6`, `1-5`, `0-23/2`, and several joined by commas."""
    found: set[int] = set()
    for part in field.split(","):
        match = re.fullmatch(r"(\*|(\d{1,2})(-(\d{1,2}))?)(/(\d{1,2}))?", part, re.ASCII)
        if match is None:
            raise ValueError(f"{EXPECTED}; the {name} is {part!r}")
        first = low if match[1] == "*" else int(match[2])
        last = high if match[1] == "*" or (match[6] and not match[4]) else int(match[4] or match[2])
        if not low <= first <= last <= high or match[6] == "0":
            raise ValueError(f"expected a {name} from {low} to {high}; got {part!r}")
        found.update(range(first, last + 1, int(match[6] or 1)))
    return frozenset(found)
