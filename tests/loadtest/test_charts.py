"""Pictures are SVG that a page shows without a script, whatever the values."""

from xml.etree import ElementTree

from loadtest.charts import over_time, percentile_curve


def parsed(chart: str) -> ElementTree.Element:
    return ElementTree.fromstring(f"<div>{chart}</div>")


def test_a_gap_ends_a_line_and_texts_are_escaped() -> None:
    chart = over_time("<latency> & more", [("p50", [(0, 1.0), (1, None), (2, 3.0), (3, 4.0)])], str)
    found = parsed(chart)
    assert len(list(found.iter("polyline"))) == 2
    assert "<latency> & more" in "".join(found.itertext())
    assert "script" not in chart


def test_every_point_is_inside() -> None:
    chart = percentile_curve("c", [("a", [(0.1, 1.0), (0.99, 50.0), (1.0, 12_345.0)])], str)
    (line,) = parsed(chart).iter("polyline")
    points = [tuple(map(float, pair.split(","))) for pair in line.attrib["points"].split()]
    assert all(0 <= x <= 720 and 0 <= y <= 220 for x, y in points)
    assert [x for x, _ in points] == sorted(x for x, _ in points)


def test_without_values_there_is_no_picture() -> None:
    assert over_time("t", [("a", [(0, None)])], str) == ""
    assert percentile_curve("t", [], str) == ""


def test_a_line_of_zeros_is_drawn() -> None:
    assert "polyline" in over_time("t", [("a", [(0, 0.0), (1, 0.0)])], str)
