"""Errors on the wire: every class has its numbers, and every answer the headers that its status wants."""

import orjson
import pytest

from actors import errors
from actors.errors import CODES, XpError
from server.http import problems
from server.http.problems import TABLE, wire_codes

STATUSES = {400, 401, 403, 404, 405, 409, 412, 413, 415, 416, 422, 423, 428, 429, 460, 500, 503, 507}

MADE: dict[type[XpError], XpError] = {
    errors.ValidationFailed: errors.ValidationFailed({"a.b": ["wrong", "very wrong"], "c": ("x",)}),
    errors.TooLarge: errors.TooLarge("A body", 10, None),
    errors.KeyReused: errors.KeyReused("k"),
    errors.NotFound: errors.NotFound("thread", "x"),
    errors.MethodNotAllowed: errors.MethodNotAllowed("no", allowed=["GET", "POST"]),
    errors.PreconditionFailed: errors.PreconditionFailed("1", "2"),
    errors.Internal: errors.Internal(),
}


def one(kind: type[XpError], code: str | None = None) -> XpError:
    made = MADE.get(kind) or kind("A sentence.")
    if code is not None and code != kind.code:
        made = kind("A sentence.", code=code)
    return made


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_a_problem(code: str) -> None:
    error = one(CODES[code], code)
    told = orjson.loads(problems.body(error, base="https://example.com/p", correlation_id="c-1"))
    assert told.keys() == {"success", "error"}
    assert told["success"] is False
    problem = told["error"]
    assert list(problem) == [
        "type", "title", "status", "detail", "errors", "code", "retryable", "timestamp", "trace_id", "correlation_id",
    ]  # fmt: skip
    assert problem["type"] == f"https://example.com/p/{problems.slug(code)}"
    assert problem["code"] == code
    assert problem["trace_id"] == "c-1"
    assert problem["status"] == wire_codes(error).status
    assert problem["status"] in STATUSES
    assert problem["title"]
    assert problem["detail"]
    assert problem["retryable"] == (problem["status"] in (423, 429, 500, 503, 507)), (
        "what is worth a retry is not the client's fault"
    )


def test_a_field_that_is_not_valid_is_told_as_the_first_system_did() -> None:
    problem = problems.problem(MADE[errors.ValidationFailed], base="https://example.com/p", correlation_id="")
    told = (problem["type"], problem["title"], problem["status"])
    assert told == ("https://example.com/p/validation-error", "Validation Error", 400)


@pytest.mark.parametrize("code", CODES)
def test_headers_that_a_status_wants(code: str) -> None:
    error = one(CODES[code], code)
    headers = problems.headers(error)
    status = wire_codes(error).status
    assert ("WWW-Authenticate" in headers) == (status == 401)
    assert ("Allow" in headers) == (status == 405)
    assert ("Retry-After" in headers) == (status in (423, 429, 503, 507))
    if "Retry-After" in headers:
        assert int(headers["Retry-After"]) >= 1


def test_a_class_without_numbers_has_its_parents() -> None:
    class Odd(errors.StorageUnavailable):
        pass

    assert wire_codes(Odd("x")) == TABLE[errors.Unavailable]
    assert {status.status for status in TABLE.values()} == STATUSES


def test_fields_keep_all_their_sentences() -> None:
    told = problems.problem(MADE[errors.ValidationFailed], base="", correlation_id="")
    assert told["errors"] == {"a.b": ["wrong", "very wrong"], "c": ["x"]}
    assert told["detail"] == "Invalid: a.b, c. `errors` says what each field expects."


def test_what_cannot_be_said_in_utf_8_is_said_as_well_as_it_can() -> None:
    told = orjson.loads(problems.body(errors.Forbidden("Origin \udcff é came."), base="", correlation_id=""))
    assert told["error"]["detail"] == "Origin ? é came."


def test_an_expired_token_says_that_it_is_the_token() -> None:
    assert 'error="invalid_token"' in problems.headers(errors.TokenExpired("x"))["WWW-Authenticate"]
    assert problems.headers(errors.Unauthenticated("x"))["WWW-Authenticate"] == 'Bearer realm="experience"'
