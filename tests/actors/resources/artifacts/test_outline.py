"""The parts of an artifact: bounded, however little its content takes."""

from typing import Any

import pytest

from actors import limits
from actors.errors import TooLarge
from actors.resources.artifacts.outline import DataSet, outline

SALES = DataSet(("a", "b"), tuple((row, row) for row in range(5000)))


def chart(values: list[Any]) -> dict[str, Any]:
    return {"type": "chart", "spec": {"mark": "bar", "data": {"values": values}}}


def test_a_chart_with_a_column_for_each_row_is_no_table_of_millions() -> None:
    values = [{f"c{row}": row} for row in range(5000)]
    with pytest.raises(TooLarge, match=f"at most {limits.EXPORT_CELLS} cells"):
        outline("REPORT", {"sections": [chart(values)]})
    assert len(outline("REPORT", {"sections": [chart(values[:500])]})) == 1


@pytest.mark.parametrize("kind", ["table", "chart"])
def test_a_data_set_is_not_shown_a_hundred_times(kind: str) -> None:
    panel = {"type": kind, "data_set": "sales", "spec": {}}
    assert len(outline("DASHBOARD", {"panels": [panel] * 10}, {"sales": SALES})) == 10
    with pytest.raises(TooLarge):
        outline("DASHBOARD", {"panels": [panel] * 100}, {"sales": SALES})


def test_rows_without_cells_count_too() -> None:
    panel = {"type": "table", "data_set": "sales", "columns": ["unknown"]}
    with pytest.raises(TooLarge):
        outline("DASHBOARD", {"panels": [panel] * 100}, {"sales": SALES})
