"""Whatever is sent, whoever sends it: a problem that says what was wrong, never a 5xx, and nothing in the log."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import orjson
import pytest

from actors import limits
from server.api.registry import Operation
from tests.server.operations.sweep.requests import (
    FREE_TEXTS,
    POSTS,
    WITH_BODY,
    WITHOUT_BODY,
    World,
    check_problem,
    every,
)
from tests.serving import Answer

pytestmark = pytest.mark.asyncio(loop_scope="package")

JSON = {"Content-Type": "application/json"}
DEEP = b"[" * 1000 + b"]" * 1000
HUGE = b"9" * 30

UNREADABLE = (
    b"{", b"nonsense", b" ", b"\xff\xfe", b'{"a":' * 1100, b'{"title":NaN}', b'{"title":Infinity}', b'{"title":1e999}',
    b'{"title":"\\ud800"}', b'{"title":"\xed\xa0\x80"}', b'{"title":"\xff"}', b'{"title":"a\x00b"}',
    b"\xef\xbb\xbf{}", b"{} {}", b"{'title': 1}", b'{"title":"a"', b"\x00", b'{"title":' + b"9" * 5000 + b"}",
)  # fmt: skip
NO_OBJECTS = (b"[]", b'"text"', b"5", b"null", b"true", b"[{}]")


async def send(world: World, operation: Operation, method: str, body: Any, **headers: str) -> Answer:
    client = world.who_may(operation)
    return await client.request(method, world.path(operation), data=body, headers={**JSON, **headers})


@every(*WITH_BODY)
@pytest.mark.changes_nothing
async def test_bodies_that_cannot_be_read(operation: Operation, world: World) -> None:
    for method in operation.methods:
        for body in UNREADABLE:
            answer = await send(world, operation, method, body)
            assert check_problem(answer, 400)["code"] == "malformed", body
        for body in NO_OBJECTS:
            answer = await send(world, operation, method, body)
            assert check_problem(answer, 400)["errors"] == {"body": ["expected a JSON object."]}, body


@every(*WITH_BODY)
@pytest.mark.changes_nothing
async def test_media_types(operation: Operation, world: World) -> None:
    body = b'{"no_such":1}'
    for method in operation.methods:
        for media in ("text/plain", "application/x-www-form-urlencoded", "application/jsonx", "nonsense", ";"):
            answer = await send(world, operation, method, body, **{"Content-Type": media})
            assert check_problem(answer, 415)["code"] == "unsupported_media_type", media
        for media in ("application/json; charset=utf-8", "Application/JSON", "application/merge-patch+json"):
            assert (await send(world, operation, method, body, **{"Content-Type": media})).status == 400, media
        for encoding in ("gzip", "br", "deflate", "nonsense"):
            check_problem(await send(world, operation, method, body, **{"Content-Encoding": encoding}), 415)


def most_bytes(operation: Operation) -> int:
    return limits.STRANGER_BODY_BYTES if operation.access == "open" else limits.BODY_BYTES


async def pieces(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b" " * 65_536


@every(*WITH_BODY)
@pytest.mark.changes_nothing
async def test_bodies_that_are_too_large(operation: Operation, world: World) -> None:
    most = most_bytes(operation)
    for method in operation.methods:
        for body in (b" " * (most + 1), pieces(most // 65_536 + 1)):
            answer = await send(world, operation, method, body)
            assert str(most) in check_problem(answer, 413)["detail"]


@every(*WITH_BODY)
@pytest.mark.changes_nothing
async def test_fields_that_are_not_known(operation: Operation, world: World) -> None:
    names = ("no_such", "Title", "", "\x00", "__proto__", "thread", "é", "k" * 1000)
    for method in operation.methods:
        for name in names:
            answer = await world.send(
                world.who_may(operation), operation, method=method, body={**world.body(operation), name: 1}
            )
            assert check_problem(answer, 400)["errors"][name or "body"] == ["This field is not known here."]
        many = {f"k{n}": 0 for n in range(limits.FIELD_ERRORS + 1)}
        answer = await world.send(world.who_may(operation), operation, method=method, body=many)
        assert check_problem(answer, 400)["errors"].keys() == {"body"}


VALUES: dict[str, bytes] = {
    "null": b"null", "a number": b"5", "a negative number": b"-1", "a fraction": b"1.5", "a huge number": HUGE,
    "a huge negative number": b"-" + HUGE, "true": b"true", "an empty text": b'""',
    "a long text": b'"%b"' % (b"x" * 70_000), "NUL": b'"a\\u0000b"',
    "a list": b"[]", "a list of lists": b"[[]]", "an object": b"{}", "deep": DEEP,
    "a deep object": b'{"a":%b}' % DEEP, "a deep list": b'[{"type":"t","a":%b}]' % DEEP,
}  # fmt: skip


def json_types(operation: Operation, name: str) -> set[str] | None:
    """Of values that a field may have, as its schema says; None where that is any."""
    schema = operation.request.model_json_schema(by_alias=True)
    waiting, found = [schema["properties"][name]], set()
    while waiting:
        part = waiting.pop()
        if "$ref" in part:
            part = schema["$defs"][part["$ref"].rpartition("/")[2]]
        choices = part.get("anyOf") or part.get("oneOf") or part.get("allOf")
        if choices:
            waiting += choices
        elif "type" in part:
            found.update([part["type"]] if isinstance(part["type"], str) else part["type"])
        elif "const" in part or "enum" in part:
            found.add("string")
        else:
            return None
    return found | ({"integer"} if "number" in found else set())


def json_type(value: bytes) -> str:
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return kinds.get(type(orjson.loads(value)), "null")


def with_field(body: dict[str, Any], name: str, value: bytes) -> bytes:
    rest = orjson.dumps({key: given for key, given in body.items() if key != name})
    return b'{"%b":%b%b' % (name.encode(), value, b"}" if rest == b"{}" else b"," + rest[1:])


@every(*WITH_BODY)
async def test_values_of_wrong_types(operation: Operation, world: World) -> None:
    """Every field of a body with every kind of value; also with a key, for which the body is written out again."""
    fields = {n: f for n, f in operation.request.model_fields.items() if n not in operation.path_parameters}
    for name in fields:
        taken = json_types(operation, name)
        for kind, value in VALUES.items():
            await world.prepare(operation)
            body = with_field(world.body(operation), name, value)
            for headers in ({}, {"Idempotency-Key": f"{operation.name} {name} {kind}"}):
                answer = await send(world, operation, operation.methods[0], body, **headers)
                if len(body) > most_bytes(operation):
                    check_problem(answer, 413)
                elif "deep" in kind or "huge" in kind:  # the body as a whole cannot be read, or is too deep
                    check_problem(answer, 400)
                elif taken is not None and json_type(value) not in taken:
                    told = check_problem(answer, 400)["errors"]
                    assert any(key == name or key.startswith((f"{name}.", f"{name}[")) for key in told), (name, kind)
                elif answer.status not in (200, 201, 202, 204):
                    check_problem(answer, *((401,) if operation.access == "open" else ()), 403, 404, 409, 400)


@every(*POSTS)
@pytest.mark.changes_nothing
async def test_keys_that_are_none(operation: Operation, world: World) -> None:
    for key in ("", "x" * 256, "a\tb", "\u200b", "a\u00a0b"):
        answer = await world.send(world.who_may(operation), operation, headers={"Idempotency-Key": key})
        assert check_problem(answer, 400)["errors"].keys() == {"Idempotency-Key"}


@every()
@pytest.mark.changes_nothing
async def test_query_parameters_that_are_not_known(operation: Operation, world: World) -> None:
    for method in operation.methods:
        for query, name in (
            ("no_such=1", "no_such"),
            ("=1", ""),
            ("%00=1", "\x00"),
            ("%ff=1", "\ufffd"),
            ("LIMIT=1", "LIMIT"),
        ):
            answer = await world.send(
                world.who_may(operation), operation, method=method, path=f"{world.path(operation)}?{query}"
            )
            told = check_problem(answer, 400)["errors"]
            assert "not known here" in told.get(name, told.get("body"))[0], query


@every(*WITHOUT_BODY)
@pytest.mark.changes_nothing
async def test_query_parameters_with_garbage(operation: Operation, world: World) -> None:
    names = [name for name in operation.request.model_fields if name not in operation.path_parameters]
    client, url = world.who_may(operation), world.path(operation)
    for name in names:
        for text in ("", " ", "x", "-1", "1.5", "NaN", "1e3", "\x00", "9" * 400, "é", "[]", "null", "after:"):
            answer = await client.request(operation.methods[0], f"{url}?{name}={quote(text)}")
            if (operation.name, name) in FREE_TEXTS and answer.status < 300:
                continue
            assert name in check_problem(answer, 400)["errors"] or "body" in answer.error["errors"], (name, text)
        answer = await client.request(operation.methods[0], f"{url}?{name}=1&{name}=1")
        assert "more than once" in check_problem(answer, 400)["errors"][name][0]


@every(*WITHOUT_BODY, *WITH_BODY)
@pytest.mark.changes_nothing
async def test_what_comes_with_the_path_comes_only_with_it(operation: Operation, world: World) -> None:
    for name, value in world.parameters(operation).items():
        for method in operation.methods:
            path = world.path(operation)
            body = {**world.body(operation), name: value} if operation.has_body else {}
            query = "" if operation.has_body else f"?{name}={quote(value)}"
            answer = await world.send(world.alice, operation, method=method, path=path + query, body=body)
            assert "with the path" in check_problem(answer, 400)["errors"][name][0]


@every(*(operation for operation in (*WITHOUT_BODY, *WITH_BODY) if operation.path_parameters))
@pytest.mark.changes_nothing
async def test_ids_that_are_none(operation: Operation, world: World) -> None:
    """A path with something else than an id is a path that is not there."""
    strange = (
        "1", "x" * 25, "C" + "a" * 24, "c" + "a" * 23, "c" + "a" * 25, "c" + "A" * 24, "é" * 25, "%00", "%ff",
        "..%2f..", "c" + "%61" * 24 + "%00", " ", "null", "*",
    )  # fmt: skip
    ids = [name for name in operation.path_parameters if name.endswith("id")]
    for text in strange:
        for method in operation.methods:
            for name in ids:
                path = world.path(operation, **{name: text})
                check_problem(await world.send(world.alice, operation, method=method, path=path), 404)
