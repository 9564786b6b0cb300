"""What would be lost with the disk, and when a backup that failed may succeed."""

import time

import pytest

from server.telemetry.backup_state import ShippingState

NOW = 1_800_000_000_000


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> ShippingState:
    monkeypatch.setattr(time, "time", lambda: (NOW + 60_000) / 1000)
    return ShippingState(is_on=True)


def test_nothing_is_lost_that_is_shipped_and_goes_on_from_a_backup(state: ShippingState) -> None:
    state.follow("a", None, NOW)
    state.backed_up("a")
    assert (state.lag_seconds(), state.without_backup_since) == (0, None)


def test_segments_without_a_backup_are_lost(state: ShippingState) -> None:
    state.follow("a", None, NOW)
    state.backed_up("")
    state.follow("a", None, NOW + 1_000)
    assert state.lag_seconds() == 60


def test_those_of_all_lineages_without_one(state: ShippingState) -> None:
    state.follow("a", None, NOW)
    state.follow("", None, NOW + 1_000)
    state.backed_up("")
    state.follow("b", None, NOW + 2_000)
    state.backed_up("a")
    assert state.lag_seconds() == 60
    state.backed_up("b")
    assert state.lag_seconds() == 0


def test_the_older_of_both_reasons_counts(state: ShippingState) -> None:
    state.follow("a", None, NOW + 20_000)
    state.behind_since = NOW + 30_000
    assert state.lag_seconds() == 40
    state.backed_up("a")
    assert state.lag_seconds() == 30


def test_it_works_since_a_lineage_began_or_the_shelf_took_something(state: ShippingState) -> None:
    state.follow("a", None, NOW)
    state.follow("a", NOW + 1_000, NOW + 1_000)
    assert state.works_since == NOW
    state.follow("a", None, NOW + 2_000)
    state.follow("a", None, NOW + 3_000)
    assert state.works_since == NOW + 2_000
    state.follow("b", None, NOW + 4_000)
    assert state.works_since == NOW + 4_000
