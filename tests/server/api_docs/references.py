"""The documents of the API, read as a client reads them, with ways to hold JSON against the schemas in them."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import orjson
from jsonschema import Draft202012Validator

from server.api import operations
from server.api_docs import asyncapi, openapi

Json = dict[str, Any]
PROBLEM_BASE = "https://errors.example.com/problems"


@cache
def openapi_document() -> Json:
    made = openapi.document(operations.ALL, version="1.2.3", problem_base=PROBLEM_BASE, cookie="rpotential_auth")
    return orjson.loads(orjson.dumps(made))  # type: ignore[no-any-return]


@cache
def asyncapi_document() -> Json:
    return orjson.loads(orjson.dumps(asyncapi.document(version="1.2.3")))  # type: ignore[no-any-return]


def violations(document: Json, schema: Json, value: Any) -> list[str]:
    """What of a schema of the document the value breaks."""
    whole = {"components": document["components"], "allOf": [schema]}
    validator = Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(value)]


def resolved(document: Json, node: Json) -> Json:
    """What a reference stands for."""
    while "$ref" in node:
        found: Any = document
        for name in node["$ref"].removeprefix("#/").split("/"):
            found = found[name.replace("~1", "/")]
        node = found
    return node


def described(document: Json) -> Iterator[tuple[str, str, Json]]:
    """Path, method and description of every operation."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method.upper(), operation


def schema_of(document: Json, operation: Json, status: int, content_type: str) -> Json:
    """Of the body that an operation answers with a status; a KeyError says that it is not documented."""
    response = resolved(document, operation["responses"][str(status)])
    return response["content"][content_type]["schema"]  # type: ignore[no-any-return]


def nodes(value: Any, path: str = "#") -> Iterator[tuple[str, Any]]:
    """Everything in a document, with where it is."""
    yield path, value
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, found in inner:
        yield from nodes(found, f"{path}/{str(name).replace('/', '~1')}")
