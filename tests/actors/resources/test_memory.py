"""A conversation's memory: merge patches as RFC 7386 has them, and what each section may hold."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors import limits
from actors.errors import ValidationFailed
from actors.resources.memory import fact_text, must_be_valid
from actors.text.merge_patch import merge_patch

# Merge patches


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [  # the table of RFC 7386, appendix A
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_the_examples_of_the_rfc(target: Any, patch: Any, result: Any) -> None:
    assert merge_patch(target, patch) == result


def test_the_long_example_of_the_rfc() -> None:
    """Section 3."""
    document = {
        "title": "Goodbye!", "author": {"givenName": "John", "familyName": "Doe"}, "tags": ["example", "sample"],
        "content": "This will be unchanged",
    }  # fmt: skip
    patch = {
        "title": "Hello!", "phoneNumber": "+01-123-456-7890", "author": {"familyName": None}, "tags": ["example"],
    }  # fmt: skip
    assert merge_patch(document, patch) == {
        "title": "Hello!", "author": {"givenName": "John"}, "tags": ["example"], "content": "This will be unchanged",
        "phoneNumber": "+01-123-456-7890",
    }  # fmt: skip


names = st.sampled_from("abc")
scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=3)
documents = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=12
)
objects = st.dictionaries(names, documents, max_size=3)


def without_nulls(value: Any) -> Any:
    """Of members; a null in a list is an item like any other."""
    if isinstance(value, dict):
        return {name: without_nulls(inner) for name, inner in value.items() if inner is not None}
    return value


def difference(before: Any, after: Any) -> Any:
    """The patch that makes `before` into `after`, where there is one: no member of `after` is null."""
    if not (isinstance(before, dict) and isinstance(after, dict)):
        return after
    gone = dict.fromkeys(before.keys() - after.keys())
    changed = {name: difference(before.get(name), value) for name, value in after.items()}
    return gone | changed


@given(documents, documents)
def test_neither_is_changed(target: Any, patch: Any) -> None:
    before = copy.deepcopy((target, patch))
    merge_patch(target, patch)
    assert (target, patch) == before


@given(documents, documents)
def test_twice_is_once(target: Any, patch: Any) -> None:
    once = merge_patch(target, patch)
    assert merge_patch(once, patch) == once


@given(objects)
def test_nothing_changes_nothing(target: Any) -> None:
    assert merge_patch(target, {}) == target


@given(objects)
def test_what_is_made_of_nothing_has_no_nulls(patch: Any) -> None:
    assert merge_patch({}, patch) == without_nulls(patch)


@given(objects, objects.map(without_nulls))
def test_every_object_without_nulls_can_be_reached(before: Any, after: Any) -> None:
    assert merge_patch(before, difference(before, after)) == after


@given(objects, objects, objects)
def test_patches_of_different_members_commute(target: Any, one: Any, other: Any) -> None:
    """So writers who keep to their own members need no lock."""
    other = {name.upper(): value for name, value in other.items()}
    assert merge_patch(merge_patch(target, one), other) == merge_patch(merge_patch(target, other), one)


# What it may hold

ID, OTHER_ID = "c" + "a" * 24, "c" + "b" * 24


def refusal(memory: Any, head: int = 9) -> dict[str, Any]:
    with pytest.raises(ValidationFailed) as caught:
        must_be_valid(memory, head)
    return dict(caught.value.field_errors)


@pytest.mark.parametrize(
    "memory",
    [
        {}, {"facts": []}, {"pins": []}, {"facts": ["a", {"text": "b"}, {"text": "b"}]},
        {"facts": [{"id": "1", "text": "a", "source_message_id": ID}, {"id": "2", "text": "a"}]},
        {"facts": [{"id": "x" * limits.MEMORY_FACT_ID_CHARS, "text": "a"}]},
        {"summary": "s"}, {"summary": "s", "summary_up_to": 0}, {"summary": "s", "summary_up_to": 9},
        {"pins": [ID, OTHER_ID]}, {"mine": {"facts": 5, "pins": None}, "Facts": 1, "": None},
    ],
)  # fmt: skip
def test_what_it_may_hold(memory: Any) -> None:
    must_be_valid(memory, 9)


@pytest.mark.parametrize(
    ("memory", "paths"),
    [
        ({"facts": None}, {"facts"}),
        ({"facts": {}}, {"facts"}),
        ({"facts": "x"}, {"facts"}),
        ({"facts": ["", " \n", 5, None, ["x"], "a\0"]}, {f"facts.{n}" for n in range(6)}),
        ({"facts": [{}]}, {"facts.0.text"}),
        ({"facts": [{"text": ""}, {"text": None}]}, {"facts.0.text", "facts.1.text"}),
        ({"facts": ["good", {"text": "x", "source": 1, "": 2}]}, {"facts.1.source", "facts.1."}),
        ({"facts": [{"text": "x", "id": ""}, {"text": "x", "id": 5}]}, {"facts.0.id", "facts.1.id"}),
        ({"facts": [{"text": "x", "id": "x" * (limits.MEMORY_FACT_ID_CHARS + 1)}]}, {"facts.0.id"}),
        ({"facts": [{"text": "x", "id": "same"}, "x", {"text": "y", "id": "same"}]}, {"facts.2.id"}),
        ({"facts": [{"text": "x", "source_message_id": "m1"}]}, {"facts.0.source_message_id"}),
        ({"facts": [{"text": "x", "source_message_id": None}]}, {"facts.0.source_message_id"}),
        ({"summary": ""}, {"summary"}),
        ({"summary": None}, {"summary"}),
        ({"summary": ["x"]}, {"summary"}),
        ({"summary": "a\0b"}, {"summary"}),
        ({"summary_up_to": 3}, {"summary_up_to"}),
        ({"summary": "s", "summary_up_to": 10}, {"summary_up_to"}),
        ({"summary": "s", "summary_up_to": -1}, {"summary_up_to"}),
        ({"summary": "s", "summary_up_to": 1.0}, {"summary_up_to"}),
        ({"summary": "s", "summary_up_to": True}, {"summary_up_to"}),
        ({"summary": "s", "summary_up_to": None}, {"summary_up_to"}),
        ({"pins": ID}, {"pins"}),
        ({"pins": [ID, "x", 5, {"id": ID}]}, {"pins.1", "pins.2", "pins.3"}),
        ({"pins": [ID, OTHER_ID, ID]}, {"pins.2"}),
        ({"pins": ["c" + f"{n:024}" for n in range(limits.MEMORY_PINS + 1)]}, {"pins"}),
        ({"facts": 1, "pins": 1, "summary": 1}, {"facts", "pins", "summary"}),
    ],
)
def test_what_it_may_not_hold(memory: Any, paths: set[str]) -> None:
    errors = refusal(memory)
    assert errors.keys() == {f"memory.{path}" for path in paths}
    assert all(sentence.endswith(".") for sentences in errors.values() for sentence in sentences)


def test_sentences_say_what_is_expected() -> None:
    assert refusal({"summary": "s", "summary_up_to": 10}) == {
        "memory.summary_up_to": ["expected an offset of the thread's log, 0 to 9."]
    }
    assert refusal({"facts": [5]}) == {
        "memory.facts.0": ["expected a text that is not empty or an object with a `text`."]
    }


def test_too_many_errors_are_not_told_one_by_one() -> None:
    assert len(refusal({"facts": [0] * limits.FIELD_ERRORS})) == limits.FIELD_ERRORS
    assert refusal({"facts": [0] * (limits.FIELD_ERRORS + 1)}).keys() == {"memory"}


@given(st.dictionaries(st.sampled_from(["facts", "summary", "summary_up_to", "pins", "x"]), documents))
def test_any_object_is_good_or_refused(memory: Any) -> None:
    refused: set[str] = set()
    try:
        must_be_valid(memory, 9)
    except ValidationFailed as error:
        refused = set(error.field_errors)
    assert {path.partition(".")[0] for path in refused} <= {"memory", *memory}
    assert refused or all(fact_text(fact) for fact in memory.get("facts", []))


def test_a_fact_in_either_form() -> None:
    assert fact_text("a") == fact_text({"id": "1", "text": "a"}) == "a"
