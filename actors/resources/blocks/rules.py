"""What a profile asks of several fields at once."""

from collections.abc import Callable, Sequence
from typing import Any

from actors.resources.blocks.faults import At, Faults

Rule = Callable[[dict[str, Any], At, Faults], None]


def of(shape: Any) -> tuple[Rule, ...]:
    """Those that a shape has, ready to be called."""
    made: list[Rule] = []
    if "any_of" in shape:
        made.append(_any_of(shape["any_of"]))
    if "one_of" in shape:
        made.append(_one_of(shape["one_of"]))
    made += [_not_both(*pair) for pair in shape.get("not_both", ())]
    made += [_ordered(*pair) for pair in shape.get("ordered", ())]
    made += [_unique(*pair) for pair in shape.get("unique", ())]
    if "table" in shape:
        made.append(_table(shape["table"]))
    if shape.get("categories"):
        made.append(_categories)
    return tuple(made)


def _any_of(names: Sequence[str]) -> Rule:
    expected = " or ".join(f"`{name}`" for name in names)

    def rule(value: dict[str, Any], at: At, faults: Faults) -> None:
        for name in names:
            if value.get(name) is not None:
                return
        faults.add(at, "required", expected, actual="none of them")

    return rule


def _one_of(names: Sequence[str]) -> Rule:
    expected = "either " + " or ".join(f"`{name}`" for name in names)

    def rule(value: dict[str, Any], at: At, faults: Faults) -> None:
        given = [name for name in names if value.get(name) is not None]
        if len(given) != 1:
            faults.add(at, "exclusive" if given else "required", expected, actual="both" if given else "none of them")

    return rule


def _not_both(first: str, second: str) -> Rule:
    def rule(value: dict[str, Any], at: At, faults: Faults) -> None:
        if value.get(first) is True and value.get(second) is True:
            faults.add((at, second), "exclusive", f"no `{second}` together with `{first}`", actual="true")

    return rule


def _ordered(low: str, high: str) -> Rule:
    def rule(value: dict[str, Any], at: At, faults: Faults) -> None:
        first, last = value.get(low), value.get(high)
        least, most = _number(first), _number(last)
        if least is not None and most is not None and least > most:
            faults.add((at, low), "out_of_order", f"`{low}` of at most `{high}`", limit=most, actual=least)
        elif least is most is None and isinstance(first, str) and isinstance(last, str) and first > last:
            faults.add((at, low), "out_of_order", f"`{low}` of at most `{high}`, {last[:40]}", actual=first[:40])

    return rule


def _number(value: Any) -> float | None:
    """Also of a text that holds one, as inputs of numbers have it."""
    try:
        return float(value) if isinstance(value, str | int | float) else None
    except (ValueError, OverflowError):
        return None


def _unique(name: str, key: str) -> Rule:
    def rule(value: dict[str, Any], at: At, faults: Faults) -> None:
        seen = set()
        for index, item in enumerate(_list(value.get(name))):
            found = item.get(key) if isinstance(item, dict) else None
            if isinstance(found, str):
                if found in seen:
                    where = (((at, name), index), key)
                    faults.add(where, "duplicate", f"a `{key}` of its own", actual=repr(found[:100]))
                seen.add(found)

    return rule


def _table(table: Any) -> Rule:
    """Rows of one length; of a data table, a header of plain cells and a budget over all cells."""
    name, most, header = table["field"], table.get("characters"), table.get("header")

    def rule(value: dict[str, Any], at: At, faults: Faults) -> None:
        rows = _list(value.get(name))
        width = len(rows[0]) if rows and isinstance(rows[0], list) else 0
        for index, row in enumerate(rows):
            if isinstance(row, list) and len(row) != width:
                expected = f"{width} cells, as in the first row"
                faults.add(((at, name), index), "ragged", expected, limit=width, actual=len(row))
        if header is not None and rows:
            _header(_list(rows[0]), ((at, name), 0), faults, header)
        if most is not None and (size := _characters(rows)) > most:
            faults.add((at, name), "too_long", f"at most {most} characters in all cells", limit=most, actual=size)

    return rule


def _header(cells: list[Any], at: At, faults: Faults, types: Sequence[str]) -> None:
    for index, cell in enumerate(cells):
        if isinstance(cell, dict) and cell.get("type") not in types:
            expected = " or ".join(types) + " in the header"
            faults.add(((at, index), "type"), "not_a_choice", expected, actual=repr(str(cell.get("type"))[:100]))


def _characters(node: Any) -> int:
    if isinstance(node, list):
        return sum(map(_characters, node))
    if isinstance(node, dict):
        text = node.get("text")
        return (len(text) if isinstance(text, str) else 0) + _characters(node.get("elements"))
    return 0


def _categories(value: dict[str, Any], at: At, faults: Faults) -> None:
    """Series have names of their own, and a point for each category, in order."""
    _unique("series", "name")(value, at, faults)
    axis = value.get("axis_config")
    categories = _list(axis.get("categories")) if isinstance(axis, dict) else []
    for index, series in enumerate(_list(value.get("series"))):
        points = _list(series.get("data")) if isinstance(series, dict) else []
        if [point.get("label") if isinstance(point, dict) else None for point in points] != categories:
            where = (((at, "series"), index), "data")
            faults.add(
                where, "ragged", "a point for each category, in order", limit=len(categories), actual=len(points)
            )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
