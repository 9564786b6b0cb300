"""The error catalogue: every code has one class, one sentence, and says whether a retry is of use."""

import inspect

import pytest

from actors import errors
from actors.errors import CODES, NotFound, PreconditionFailed, TooLarge, Unavailable, ValidationFailed, XpError

CLASSES = [
    found for _, found in inspect.getmembers(errors, inspect.isclass)
    if issubclass(found, XpError) and found is not XpError
]  # fmt: skip


@pytest.mark.parametrize("error", CLASSES)
def test_every_error_is_in_the_catalogue(error: type[XpError]) -> None:
    assert CODES[error.code] is error
    assert error.title
    assert error.retryable is issubclass(error, Unavailable)


def test_every_class_is_drawn_in_the_tree_at_the_top() -> None:
    assert errors.__doc__ is not None
    for error in CLASSES:
        assert f"─ {error.__name__} " in errors.__doc__


def test_a_more_exact_code_is_of_the_instance_alone() -> None:
    exact = errors.Conflict("taken", code="id_taken")
    assert (exact.code, errors.Conflict.code) == ("id_taken", "conflict")
    assert CODES["id_taken"] is errors.Conflict


def test_their_sentences() -> None:
    assert str(NotFound("thread", "c1")) == "There is no thread 'c1' that you may see."
    assert str(NotFound("user")) == "There is no user that you may see."
    assert str(TooLarge("A frame", 10, 12)) == "A frame may be at most 10 bytes; got 12."
    assert "got more" in str(TooLarge("A body", 10, None))
    stale = PreconditionFailed("1", "2")
    assert stale.data == {"expected": "1", "actual": "2"}
    invalid = ValidationFailed({"b": ["wrong"], "a": ["missing", "short"]})
    assert "Invalid: a, b." in str(invalid)
    assert invalid.field_errors == {"b": ["wrong"], "a": ["missing", "short"]}
    assert NotFound("x").field_errors == {}
    assert "nothing was acknowledged" in str(errors.Internal())
    assert "'key-1'" in str(errors.KeyReused("key-1"))
