"""JSON Patch: the examples of RFC 6902, and what is refused."""

import json
from typing import Any

import pytest

from actors.resources.artifacts import json_patch
from actors.resources.artifacts.json_diff import same
from actors.resources.artifacts.json_patch import PatchFailed, equal, patched

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


def test_equality_is_by_value_and_a_boolean_is_no_number() -> None:
    assert equal(1, 1.0)
    assert not equal(1, True)


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
