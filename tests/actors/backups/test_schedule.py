"""When a backup is due, and which are kept."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from actors.backups import keeping, schedule


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "after", "due"),
    [
        ("30min", "2026-03-29T00:50", "2026-03-29T01:20"),
        ("1d", "2026-12-31T23:00", "2027-01-01T23:00"),
        ("0 3 * * *", "2026-01-01T03:00", "2026-01-02T03:00"),
        ("*/15 * * * *", "2026-01-01T03:14:59", "2026-01-01T03:15"),
        ("5,35 8-17/3 * * 1-5", "2026-11-27T17:36", "2026-11-30T08:05"),
        ("0 0 29 2 *", "2024-03-01T00:00", "2028-02-29T00:00"),
        ("0 0 1 * 7", "2026-11-02T00:00", "2026-11-08T00:00"),
        ("0 0 31 * *", "2026-11-01T00:00", "2026-12-31T00:00"),
        ("10/20 * * * *", "2026-11-01T00:31", "2026-11-01T00:50"),
    ],
)
def test_the_next_one(text: str, after: str, due: str) -> None:
    assert schedule.parse(text).next_after(at(after)) == at(due)
    assert str(schedule.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    ["1min", "32d", "0h", "h", "3 hours", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8",
     "5-1 * * * *", "*/0 * * * *", "a * * * *", "0 0 30 2 *", "٣ * * * *"],
)  # fmt: skip
def test_what_is_no_schedule(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        schedule.parse(text)


@dataclass(frozen=True)
class Dated:
    made_at: datetime


def hourly(days: int) -> list[Dated]:
    start = at("2026-03-01T00:30")
    return [Dated(start + timedelta(hours=hour)) for hour in range(24 * days)]


def kept(text: str, days: int = 60) -> list[str]:
    return [each.made_at.isoformat()[5:16] for each in keeping.kept(hourly(days), keeping.parse(text))]


def test_the_newest_of_each_period_stands_for_it() -> None:
    assert kept("newest=2,daily=3,monthly=2") == [
        "04-29T23:30",
        "04-29T22:30",
        "04-28T23:30",
        "04-27T23:30",
        "03-31T23:30",
    ]
    assert kept("weekly=2") == ["04-29T23:30", "04-26T23:30"]
    assert len(kept("hourly=24,daily=7,weekly=5")) == 24 + 6 + 3


def test_the_newest_is_kept_whatever_the_rules_say() -> None:
    assert kept("newest=0") == kept("newest=1") == kept("daily=0") == ["04-29T23:30"]
    assert keeping.kept([], keeping.parse("hourly=1")) == []


def test_two_within_a_period_and_periods_without_any() -> None:
    sparse = [Dated(at(text)) for text in ("2026-01-01T05:00", "2026-01-01T05:40", "2026-06-01T00:00")]
    assert keeping.kept(sparse, keeping.parse("hourly=2")) == [sparse[2], sparse[1]]


@pytest.mark.parametrize(
    "text", ["hourly", "yearly=1", "daily=1,daily=2", "daily=-1", "daily=20000", "", "newest=1;daily=1"]
)
def test_what_is_no_rule(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        keeping.parse(text)
