"""Operations as they are declared, and requests as they are read."""

import re
from typing import Any

import pytest
from pydantic import BaseModel

from actors import limits
from actors.commands import Once
from actors.errors import ValidationFailed
from server.api import operations
from server.api.fields import LEFT_OUT, Paged, Request, View, given
from server.api.registry import Call, Operation, Operations, Result
from server.http.rest import once

EVERY = pytest.mark.parametrize("operation", operations.ALL, ids=lambda operation: operation.name)


class Thing(View):
    id: str


class Wanted(Request):
    id: str
    count: int = 1
    flag: bool = LEFT_OUT
    more: list[int] | None = None


def declared() -> Operation:
    things = Operations("things", prefix="/p")

    @things("PATCH|PUT", "/things/{id}/{other_id}", response=Thing, status=202, access="admin")
    async def change_thing(call: Call, request: Wanted) -> Result:
        """Change a thing.

        More about it,
        in two lines.
        """
        return Result({})

    (operation,) = things.all
    return operation


def test_a_declaration() -> None:
    operation = declared()
    assert (operation.name, operation.methods, operation.path) == (
        "change_thing", ("PATCH", "PUT"), "/p/things/{id}/{other_id}",
    )  # fmt: skip
    assert (operation.request, operation.response, operation.status, operation.access) == (Wanted, Thing, 202, "admin")
    assert (operation.summary, operation.description) == ("Change a thing.", "More about it, in two lines.")
    assert (operation.tag, operation.paged, operation.has_body) == ("things", False, True)
    assert operation.path_parameters == ("id", "other_id")


@EVERY
def test_what_every_operation_keeps_to(operation: Operation) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", operation.name)
    assert operation.path.startswith(("/api/v1", "/health")) or operation.name.endswith("_legacy")
    assert set(operation.path_parameters) <= operation.request.model_fields.keys()
    assert operation.request.model_config["extra"] == "forbid"
    assert operation.methods in (("GET",), ("POST",), ("PUT",), ("PATCH",), ("DELETE",), ("PATCH", "PUT"))
    assert operation.status in (200, 201, 202, 303)
    if operation.status == 303:  # sent elsewhere, with nothing to read
        assert operation.response is None
    else:
        assert operation.response is not None
        assert issubclass(operation.response, BaseModel)
        assert operation.response.model_config["extra"] == "forbid"
    assert operation.name.startswith(("list_", "export_", "search")) or not operation.paged
    if operation.paged:
        limit = operation.request.model_fields["limit"]
        had_no_pages = operation.name == "list_revisions"  # once: who does not ask for a page gets as much as fits
        assert limit.default == (limits.PAGE_MAX if had_no_pages else limits.PAGE_DEFAULT)
    if operation.access == "open":
        assert operation.methods == ("GET",) or operation.rate == "auth", "what changes something is open to none else"


def test_no_two_operations_are_the_same() -> None:
    assert len({operation.name for operation in operations.ALL}) == len(operations.ALL)
    routes = [(method, operation.path) for operation in operations.ALL for method in operation.methods]
    assert len(set(routes)) == len(routes)


# Reading


def refusal(parameters: dict[str, Any], *, typed: bool = True) -> Any:
    with pytest.raises(ValidationFailed) as caught:
        declared().parse(parameters, typed=typed)
    return caught.value.field_errors


def test_text_is_converted_and_json_is_not() -> None:
    operation = declared()
    read = operation.parse({"id": "x", "count": "5", "flag": "true"}, typed=False)
    assert given(read, "count", "flag") == {"count": 5, "flag": True}
    assert refusal({"id": "x", "count": "5"}) == {"count": ["Input should be a valid integer; got '5'."]}
    assert refusal({"id": "x", "flag": 1}) == {"flag": ["Input should be a valid boolean; got 1."]}


def test_every_mistake_has_a_sentence() -> None:
    assert refusal({"count": None, "zz": 1, "more": [1, "x", {}]}) == {
        "id": ["This field is required."],
        "zz": ["This field is not known here."],
        "count": ["Input should be a valid integer; got null."],
        "more.1": ["Input should be a valid integer; got 'x'."],
        "more.2": ["Input should be a valid integer; got an object."],
    }


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("x" * 40, repr("x" * 40)), ("x" * 41, "a text of 41 characters"), (True, "true"), (1.5, "1.5"), (None, "null"),
        (10**400, "a huge number"), (-(2**63), "a huge number"), (float("nan"), "null"),
        ([], "a list"), ({}, "an object"),
    ],
)  # fmt: skip
def test_what_came_is_shown_in_short(value: Any, shown: str) -> None:
    field = "count" if isinstance(value, str) else "id"
    (sentence,) = refusal({"id": "x", field: value})[field]
    assert sentence.endswith(f"got {shown}.")


def test_too_many_mistakes_are_counted() -> None:
    most = {f"k{n}": 0 for n in range(limits.FIELD_ERRORS)}
    assert len(refusal({"id": "x", **most})) == limits.FIELD_ERRORS
    assert refusal({**most, "more": [""]}) == {
        "body": [f"{limits.FIELD_ERRORS + 2} faults are too many to list; fix some and try again."]
    }


def test_what_was_left_out_is_known() -> None:
    read = declared().parse({"id": "x", "more": None}, typed=True)
    assert given(read, "count", "flag", "more") == {"more": None}
    assert Paged().limit == limits.PAGE_DEFAULT


# Keys


def test_a_retry_is_the_same_operation_with_the_same_parameters() -> None:
    one, other = operations.BY_NAME["create_thread"], operations.BY_NAME["create_message"]
    first = once("k", one, {"a": 1, "b": {"c": 2, "d": 3}})
    assert first == once("k", one, {"b": {"d": 3, "c": 2}, "a": 1})
    assert isinstance(first, Once)
    different = {
        once("k", one, {"a": 1}), once("k", one, {"a": "1"}), once("k", one, {"a": None}), once("k", one, {"a": [1]}),
        once("k", other, {"a": 1}), once("k", one, {}), once("k", one, {"a": 1.5}), once("k", one, {"a": True}),
    }  # fmt: skip
    assert len({key.fingerprint for key in different}) == 8


@pytest.mark.parametrize("key", ["", "x" * 256, "a\nb", "\u200b", "\udcff", None, 5, ["k"], True])
def test_keys_that_are_none(key: object) -> None:
    with pytest.raises(ValidationFailed):
        once(key, operations.BY_NAME["create_thread"], {})


def test_parameters_too_deep_to_be_written_again() -> None:
    deep: Any = 1
    for _ in range(1000):
        deep = [deep]
    with pytest.raises(ValidationFailed):
        once("k", operations.BY_NAME["create_thread"], {"a": deep})
