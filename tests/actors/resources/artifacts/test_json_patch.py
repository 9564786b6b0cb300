"""JSON Patch: the examples of RFC 6902, what is refused, and that patch(diff(a, b), a) == b."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.resources.artifacts import json_patch
from actors.resources.artifacts.json_patch import PatchFailed, diff, equal, patched, same

GOOD: tuple[tuple[Any, list[Any], Any], ...] = (
    ({"foo": "bar"}, [{"op": "add", "path": "/baz", "value": "qux"}], {"baz": "qux", "foo": "bar"}),
    ({"foo": ["bar", "baz"]}, [{"op": "add", "path": "/foo/1", "value": "qux"}], {"foo": ["bar", "qux", "baz"]}),
    ({"baz": "qux", "foo": "bar"}, [{"op": "remove", "path": "/baz"}], {"foo": "bar"}),
    ({"foo": ["bar", "qux", "baz"]}, [{"op": "remove", "path": "/foo/1"}], {"foo": ["bar", "baz"]}),
    ({"baz": "qux"}, [{"op": "replace", "path": "/baz", "value": "boo"}], {"baz": "boo"}),
    (
        {"foo": {"bar": "baz", "waldo": "fred"}, "qux": {"corge": "grault"}},
        [{"op": "move", "from": "/foo/waldo", "path": "/qux/thud"}],
        {"foo": {"bar": "baz"}, "qux": {"corge": "grault", "thud": "fred"}},
    ),
    (
        {"foo": ["all", "grass", "cows", "eat"]},
        [{"op": "move", "from": "/foo/1", "path": "/foo/3"}],
        {"foo": ["all", "cows", "eat", "grass"]},
    ),
    ({"foo": ["a", 2]}, [{"op": "test", "path": "/foo/1", "value": 2.0}], {"foo": ["a", 2]}),
    ({"foo": 1}, [{"op": "add", "path": "/child", "value": {"g": {}}, "xyz": 1}], {"foo": 1, "child": {"g": {}}}),
    ({"/": 9, "~1": 10}, [{"op": "test", "path": "/~01", "value": 10}], {"/": 9, "~1": 10}),
    ({"foo": ["bar"]}, [{"op": "add", "path": "/foo/-", "value": ["abc"]}], {"foo": ["bar", ["abc"]]}),
    ({"a": 1}, [{"op": "replace", "path": "", "value": [1]}], [1]),
    ({"a": {"b": 1}}, [{"op": "copy", "from": "/a", "path": "/c"}], {"a": {"b": 1}, "c": {"b": 1}}),
    ({"a": {"b": 1}}, [{"op": "move", "from": "/a", "path": "/a"}], {"a": {"b": 1}}),
    ({"": 1}, [{"op": "remove", "path": "/"}], {}),
)  # fmt: skip

BAD: tuple[tuple[Any, list[Any], str], ...] = (
    ({"a": 1}, [{"op": "add", "path": "/b/c", "value": 1}], "there is no member 'b'"),
    ({"a": [1]}, [{"op": "add", "path": "/a/2", "value": 1}], "there is no item '2', the last one is 1"),
    ({"a": [1]}, [{"op": "remove", "path": "/a/01"}], "there is no item '01'"),
    ({"a": [1]}, [{"op": "remove", "path": "/a/-"}], "there is no item '-'"),
    ({"a": 1}, [{"op": "replace", "path": "/a/b", "value": 1}], "there is nothing within '/a'"),
    ({"a": 1}, [{"op": "test", "path": "/a", "value": "1"}], "the test of '/a' failed"),
    ({"a": 1}, [{"op": "test", "path": "/a", "value": True}], "the test of '/a' failed"),
    ({"a": {}}, [{"op": "move", "from": "/a", "path": "/a/b"}], "cannot move into itself"),
    ({"a": 1}, [{"op": "add", "path": "a", "value": 1}], "expected `path` as a JSON pointer"),
    ({"a": 1}, [{"op": "add", "path": "/~2", "value": 1}], "expected `path` as a JSON pointer"),
    ({"a": 1}, [{"op": "add", "path": "/b"}], "expected a `value`"),
    ({"a": 1}, [{"op": "spam", "path": "/a"}], "expected `op` as one of add,"),
    ({"a": 1}, [{"op": ["add"], "path": "/a"}], "expected `op` as one of add,"),
    ({"a": 1}, ["remove"], "expected an object"),
    ({"a": 1}, [{"op": "copy", "path": "/b"}], "expected `from` as a JSON pointer"),
)


@pytest.mark.parametrize(("document", "patch", "expected"), GOOD)
def test_what_a_document_becomes(document: Any, patch: list[Any], expected: Any) -> None:
    before = json.dumps(document)
    assert same(patched(document, patch), expected)
    assert json.dumps(document) == before, "the document itself is not changed"


@pytest.mark.parametrize(("document", "patch", "sentence"), BAD)
def test_what_is_refused(document: Any, patch: list[Any], sentence: str) -> None:
    with pytest.raises(PatchFailed) as refused:
        patched(document, [{"op": "test", "path": "", "value": document}, *patch])
    assert refused.value.index == 1
    assert sentence in refused.value.sentence


def test_a_small_patch_makes_no_huge_document() -> None:
    doubling = [{"op": "copy", "from": "", "path": f"/{n}"} for n in range(60)]
    with pytest.raises(PatchFailed, match="add more than"):
        patched({"text": "x" * 1000}, doubling)
    deeper = [{"op": "copy", "from": "", "path": "/a"}] * 100
    with pytest.raises(PatchFailed, match="nested at most"):
        patched({"b": 1}, deeper)


def test_a_value_that_was_added_twice_is_two_values() -> None:
    value: list[int] = []
    patch = [
        {"op": "add", "path": "/a", "value": value},
        {"op": "copy", "from": "/a", "path": "/b"},
        {"op": "add", "path": "/a/-", "value": 1},
    ]
    assert patched({}, patch) == {"a": [1], "b": []}
    assert value == []


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


def test_numbers_and_booleans_differ() -> None:
    assert equal(1, 1.0)
    assert not equal(1, True)
    assert not same(1, 1.0)
    assert not same(0, False)
    assert diff([1], [True]) == [{"op": "replace", "path": "/0", "value": True}]


def test_what_stands_at_a_pointer() -> None:
    assert json_patch.at({"a": ["x"]}, "/a/0") == "x"
    assert json_patch.at({"a": ["x"]}, "/a/9") is None


def test_moves_carry_a_large_value_only_so_often() -> None:
    """Each looks at all that it carries: 40 KB of a patch could hold the interpreter for minutes."""
    there, back = {"op": "move", "from": "/a", "path": "/b"}, {"op": "move", "from": "/b", "path": "/a"}
    large = {"a": [[0] * 50 for _ in range(1000)]}
    assert patched(large, [there, back]) == large
    with pytest.raises(PatchFailed, match="move more than") as failed:
        patched(large, [there, back] * 500)
    assert failed.value.index == 5


def test_copies_of_empty_texts_take_room_too() -> None:
    copies = [{"op": "copy", "from": "/a", "path": "/b/-"}] * 1000
    with pytest.raises(PatchFailed, match="add more than"):
        patched({"a": [""] * 20_000, "b": []}, copies)


def test_lists_of_equal_items_are_compared_in_order() -> None:
    """Matching them looks at each pair again and again."""
    a, b = [[i % 2] for i in range(200)], [[i // 2 % 2] for i in range(200)]
    found = diff(a, b)
    assert {operation["op"] for operation in found} == {"replace"}
    assert patched(a, found) == b
