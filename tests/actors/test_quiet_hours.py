"""When something may be delivered outside: by the clock on somebody's wall, also in nights in which clocks change."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from actors.resources.notifications import Preferences, not_before

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia")


def minutes(clock: str) -> int:
    hours, _, rest = clock.partition(":")
    return int(hours) * 60 + int(rest)


def quiet(hours: str, zone: str = "UTC") -> Preferences:
    start, _, end = hours.partition("-")
    return Preferences(quiet_from=minutes(start), quiet_to=minutes(end), time_zone=zone)


def at(time: str) -> int:
    return int(datetime.fromisoformat(time).timestamp() * 1000)


@pytest.mark.parametrize(
    ("hours", "zone", "now", "due"),
    [
        ("13:00-14:00", "UTC", "2026-06-01T12:59:59.999Z", "now"),
        ("13:00-14:00", "UTC", "2026-06-01T13:00Z", "2026-06-01T14:00Z"),
        ("13:00-14:00", "UTC", "2026-06-01T13:59:59.999Z", "2026-06-01T14:00Z"),
        ("13:00-14:00", "UTC", "2026-06-01T14:00Z", "now"),
        ("22:00-07:00", "UTC", "2026-06-01T21:59Z", "now"),
        ("22:00-07:00", "UTC", "2026-06-01T22:00Z", "2026-06-02T07:00Z"),
        ("22:00-07:00", "UTC", "2026-06-02T00:00Z", "2026-06-02T07:00Z"),
        ("22:00-07:00", "UTC", "2026-06-02T07:00Z", "now"),
        ("22:00-00:00", "UTC", "2026-12-31T23:00Z", "2027-01-01T00:00Z"),
        ("00:00-07:30", "UTC", "2026-06-01T23:59Z", "now"),
        ("07:00-07:00", "UTC", "2026-06-01T07:00Z", "now"),
        ("22:00-07:00", "Europe/Berlin", "2026-06-01T19:59Z", "now"),
        ("22:00-07:00", "Europe/Berlin", "2026-06-01T20:00Z", "2026-06-02T05:00Z"),
        ("22:00-07:00", "Asia/Kolkata", "2026-06-01T16:30Z", "2026-06-02T01:30Z"),
        ("22:00-07:00", "America/New_York", "2026-06-01T02:00Z", "2026-06-01T11:00Z"),
        # Clocks are put forward at 02:00, back at 03:00.
        ("22:00-07:00", "Europe/Berlin", "2026-03-28T22:30Z", "2026-03-29T05:00Z"),
        ("22:00-07:00", "Europe/Berlin", "2026-03-29T01:00Z", "2026-03-29T05:00Z"),
        ("22:00-07:00", "Europe/Berlin", "2026-10-24T21:30Z", "2026-10-25T06:00Z"),
        ("22:00-07:00", "Europe/Berlin", "2026-10-25T00:30Z", "2026-10-25T06:00Z"),
        ("22:00-07:00", "Europe/Berlin", "2026-10-25T01:30Z", "2026-10-25T06:00Z"),
        ("22:00-02:30", "Europe/Berlin", "2026-03-29T00:30Z", "2026-03-29T01:30Z"),  # no such time: an hour on
        ("22:00-02:30", "Europe/Berlin", "2026-10-25T00:10Z", "2026-10-25T00:30Z"),  # the first 02:30
        ("22:00-02:30", "Europe/Berlin", "2026-10-25T01:10Z", "2026-10-25T01:30Z"),  # and the second
        ("22:00-07:00", "Mars/Olympus", "2026-06-01T22:00Z", "2026-06-02T07:00Z"),
        ("22:00-07:00", "../etc/passwd", "2026-06-01T22:00Z", "2026-06-02T07:00Z"),
    ],
)
def test_when_it_may_be_delivered(hours: str, zone: str, now: str, due: str) -> None:
    assert not_before(at(now), quiet(hours, zone)) == at(now if due == "now" else due)


@pytest.mark.parametrize("chosen", [Preferences(), Preferences(quiet_from=60), Preferences(quiet_to=60)])
def test_who_has_chosen_no_hours_is_told_at_once(chosen: Preferences) -> None:
    assert not_before(at("2026-06-01T00:30Z"), chosen) == at("2026-06-01T00:30Z")


@given(
    moment=st.integers(at("2010-01-01T00:00Z"), at("2035-01-01T00:00Z")),
    zone=st.sampled_from(ZONES),
    end=st.integers(0, 24 * 60 - 1),
    length=st.integers(1, 12 * 60),
)
@example(moment=at("2026-03-29T00:45Z"), zone="Europe/Berlin", end=150, length=300)
@example(moment=at("2011-12-30T09:00Z"), zone="Pacific/Apia", end=420, length=540)
def test_it_waits_for_the_end_of_the_hours_and_no_longer(moment: int, zone: str, end: int, length: int) -> None:
    start, there = (end - length) % (24 * 60), ZoneInfo(zone)
    preferences = Preferences(quiet_from=start, quiet_to=end, time_zone=zone)
    due = not_before(moment, preferences)

    def clock(time: int) -> datetime:
        return datetime.fromtimestamp(time / 1000, there)

    minute = clock(moment).hour * 60 + clock(moment).minute
    assert (due > moment) == ((minute - start) % (24 * 60) < length)
    assert not_before(due, preferences) == due, "what is delivered then does not wait anew"
    if due > moment:
        today = clock(moment).replace(tzinfo=None, fold=0, second=0, microsecond=0)
        wall = today + timedelta(minutes=(end - minute) % (24 * 60))
        exists = datetime.fromtimestamp(wall.replace(tzinfo=there).timestamp(), there)  # an hour on, where it does not
        assert clock(due).replace(tzinfo=None, fold=0) == exists.replace(tzinfo=None, fold=0)
