"""Positions that clients name, and how much of a history one frame shows."""

from typing import Any

import pytest

from actors import limits
from actors.delivery.publication import Publication
from server.realtime.protocol.codes import Refused
from server.realtime.session.channels import _in_one_frame, position_of
from server.realtime.session.source import HistoryPage, Since


def test_a_position_has_both_parts_or_their_defaults() -> None:
    assert position_of(None) is None
    assert position_of({}) == Since("", 0)
    assert position_of({"epoch": "e", "offset": 2**63 - 1}) == Since("e", 2**63 - 1)


@pytest.mark.parametrize(
    "given", [5, "e", [], {"offset": -1}, {"offset": 2**63}, {"offset": "1"}, {"offset": True}, {"epoch": 5}]
)
def test_what_is_no_position_is_refused(given: Any) -> None:
    with pytest.raises(Refused) as refusal:
        position_of(given)
    assert "`offset` from 0" in refusal.value.message


@pytest.mark.parametrize(("sizes", "shown"), [([3, 3, 3], 2), ([3, 4], 1), ([9, 1], 1), ([1], 1), ([], 0)])
def test_a_frame_shows_as_much_as_it_may_hold_and_one_at_least(
    monkeypatch: pytest.MonkeyPatch, sizes: list[int], shown: int
) -> None:
    monkeypatch.setattr(limits, "RECOVERY_BYTES", 6)
    items = [Publication(n, n, "e", b"x" * size) for n, size in enumerate(sizes, 1)]
    assert _in_one_frame(HistoryPage(items, "epoch", len(items))) == items[:shown]
