"""Charts that were drawn lately."""

import pytest

from server.exports.drawn import DrawnCharts

BARS = {"mark": "bar", "width": 10}


def test_by_all_that_a_chart_says() -> None:
    drawn = DrawnCharts()
    drawn.keep(BARS, b"<svg/>")
    assert drawn.find({"width": 10, "mark": "bar"}) == b"<svg/>"
    assert drawn.find({**BARS, "width": 11}) is None


def test_no_more_than_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.limits.DRAWN_CHARTS_BYTES", 10)
    drawn = DrawnCharts()
    for number in range(3):
        drawn.keep({"number": number}, b"12345")
        drawn.find({"number": 0})
    assert [drawn.find({"number": number}) is not None for number in range(3)] == [True, False, True]
    drawn.keep({"number": 0}, b"1234567")
    assert drawn.size == 7
    drawn.keep({"number": 9}, b"12345678901")
    assert drawn.size == 0
