"""Differences as JSON Patch: they lead from one document to the other, and are short."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.resources.artifacts.json_diff import diff, same
from actors.resources.artifacts.json_patch import patched

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from([0.0, 1.0, 1.5]) | st.text("ab/~é\n", max_size=4),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text("ab/~", max_size=2), inner, max_size=4),
    max_leaves=25,
)


@settings(max_examples=500, deadline=None)
@given(a=JSON, b=JSON)
def test_a_difference_leads_from_one_to_the_other(a: Any, b: Any) -> None:
    assert same(patched(a, diff(a, b)), b)
    assert diff(a, a) == []


@settings(max_examples=200, deadline=None)
@given(items=st.lists(st.dictionaries(st.sampled_from("ab"), st.integers(0, 3)), max_size=8), data=st.data())
def test_a_difference_of_lists_with_objects(items: list[Any], data: st.DataObject) -> None:
    """Moved, inserted, removed: what reports and dashboards do."""
    other = data.draw(st.permutations(items).map(lambda found: found[: data.draw(st.integers(0, 8))]))
    other = [*other, *data.draw(st.lists(st.just({"new": 1}), max_size=2))]
    assert same(patched(items, diff(items, other)), other)


def test_an_inserted_section_is_one_operation() -> None:
    a = {"sections": [{"type": "markdown", "text": str(n)} for n in range(50)]}
    b = {"sections": [*a["sections"][:10], {"type": "markdown", "text": "new"}, *a["sections"][10:]]}
    assert diff(a, b) == [{"op": "add", "path": "/sections/10", "value": {"type": "markdown", "text": "new"}}]


def test_integers_floats_and_booleans_are_three_values() -> None:
    assert not same(1, 1.0)
    assert not same(0, False)
    assert diff([1], [True]) == [{"op": "replace", "path": "/0", "value": True}]


def test_lists_of_equal_items_are_compared_in_order() -> None:
    """Matching them looks at each pair again and again."""
    a, b = [[i % 2] for i in range(200)], [[i // 2 % 2] for i in range(200)]
    found = diff(a, b)
    assert {operation["op"] for operation in found} == {"replace"}
    assert patched(a, found) == b
