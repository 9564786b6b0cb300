"""When a schedule is due: by the clock on the wall, also where clocks change."""

from datetime import UTC, datetime

import pytest

from actors.resources.schedules import at_instant, moment_of


def utc(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat()[:16]


@pytest.mark.parametrize(
    ("local", "zone", "instant", "shown"),
    [
        ("2026-03-28T09:00", "Europe/Berlin", "2026-03-28T08:00", "2026-03-28T09:00:00"),
        ("2026-03-29T09:00", "Europe/Berlin", "2026-03-29T07:00", "2026-03-29T09:00:00"),
        ("2026-10-25T09:00", "Europe/Berlin", "2026-10-25T08:00", "2026-10-25T09:00:00"),
        ("2026-03-29T02:30", "Europe/Berlin", "2026-03-29T01:30", "2026-03-29T03:30:00"),  # skipped
        ("2026-10-25T02:30", "Europe/Berlin", "2026-10-25T00:30", "2026-10-25T02:30:00"),  # comes twice
        ("2026-11-01T01:30", "America/New_York", "2026-11-01T05:30", "2026-11-01T01:30:00"),
        ("2026-10-04T02:15", "Australia/Lord_Howe", "2026-10-03T15:45", "2026-10-04T02:45:00"),  # by half an hour
        ("2026-11-29T13:00:30", "UTC", "2026-11-29T13:00", "2026-11-29T13:00:30"),
        ("2026-11-29T13:00", "Asia/Kathmandu", "2026-11-29T07:15", "2026-11-29T13:00:00"),
    ],
)
def test_by_the_clock_on_the_wall(local: str, zone: str, instant: str, shown: str) -> None:
    moment = moment_of(datetime.fromisoformat(local), zone)
    assert (utc(moment.due_at), moment.local, moment.time_zone) == (instant, shown, zone)
    again = at_instant(datetime.fromtimestamp(moment.due_at / 1000, UTC), zone)
    assert again == moment


def test_a_zone_that_is_not_there() -> None:
    with pytest.raises((ValueError, KeyError)):
        moment_of(datetime.fromisoformat("2026-01-01T00:00"), "Mars/Olympus")
