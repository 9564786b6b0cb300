"""The OpenAPI document is valid, has an example for everything, and describes exactly what is served."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web
from openapi_spec_validator import OpenAPIV31SpecValidator

from actors.errors import CODES
from actors.runtime.loop_actor import Stage
from server.api import operations
from server.api.common_views import DeletedView
from server.api.fields import ById, Nothing
from server.api.registry import Call, Operation, Operations, Result
from server.api_docs import openapi
from server.auth.authentication import BrowserRules
from server.http.application import make_application
from server.http.catalogue import ENTRIES
from tests.server.api_docs.references import (
    PROBLEM_BASE,
    Json,
    described,
    nodes,
    openapi_document,
    resolved,
    violations,
)
from tests.serving import Server

DOCUMENT = openapi_document()
DESCRIBED = [pytest.param(path, method, found, id=found["operationId"]) for path, method, found in described(DOCUMENT)]
BODIES = [operation for operation in operations.ALL if operation.has_body]


def test_it_is_openapi() -> None:
    assert list(OpenAPIV31SpecValidator(DOCUMENT).iter_errors()) == []


def test_references_lead_somewhere_and_everything_shared_is_used() -> None:
    referred = {node["$ref"] for _, node in nodes(DOCUMENT) if isinstance(node, dict) and "$ref" in node}
    shared = {
        f"#/components/{kind}/{name}"
        for kind, found in DOCUMENT["components"].items()
        if kind != "securitySchemes"
        for name in found
    }
    assert referred == shared


def _examples() -> Iterator[tuple[str, Json, Any]]:
    """Where it is, the schema, an example."""
    for where, node in nodes(DOCUMENT):
        if not isinstance(node, dict) or "/examples/" in where or "/example/" in where:
            continue
        if isinstance(node.get("schema"), dict):  # a media type, a parameter, a header
            if "example" in node:
                yield where, node["schema"], node["example"]
            for name, example in node.get("examples", {}).items():
                yield f"{where}/examples/{name}", node["schema"], example["value"]
        if isinstance(node.get("examples"), list):
            yield from ((where, node, example) for example in node["examples"])
        if "default" in node and "/properties" not in where[-11:]:
            yield f"{where}/default", node, node["default"]


def test_every_example_is_what_its_schema_says() -> None:
    found = list(_examples())
    assert len(found) > 3 * len(operations.ALL)
    wrong = {where: broken for where, schema, value in found if (broken := violations(DOCUMENT, schema, value))}
    assert wrong == {}


@pytest.mark.parametrize(("path", "method", "found"), DESCRIBED)
def test_every_operation_is_described(path: str, method: str, found: Json) -> None:
    assert found["summary"].endswith(".")
    assert found["tags"][0] in {tag["name"] for tag in DOCUMENT["tags"]}
    names = [(p["in"], p["name"]) for p in (resolved(DOCUMENT, p) for p in found["parameters"])]
    assert len(names) == len(set(names))
    assert {name for place, name in names if place == "path"} == {
        part[1:-1] for part in path.split("/") if part.startswith("{")
    }
    assert ("header", "X-Correlation-ID") in names
    assert ("header", "Idempotency-Key") not in names or method in ("POST", "PATCH", "PUT")
    if found["tags"] != ["transfers"]:  # an upload has no version
        assert (("header", "If-Match") in names) == (method in ("PUT", "PATCH", "DELETE"))
    assert ("requestBody" in found) == (method in ("POST", "PUT", "PATCH"))
    statuses = set(found["responses"])
    assert {"400", "405", "500", "503"} <= statuses
    assert ("401" in statuses) >= bool(found["security"] and {} not in found["security"])
    assert {"413", "415"} <= statuses or "requestBody" not in found
    for status, response in found["responses"].items():
        answer = resolved(DOCUMENT, response)
        assert answer["description"]
        assert "X-Correlation-ID" in answer.get("headers", {}) or status == "101"
        if int(status) >= 400:
            assert answer["content"].keys() == {"application/problem+json"}
            assert answer["content"]["application/problem+json"]["examples"]


def test_names_are_ones_own() -> None:
    counted = Counter(found["operationId"] for _, _, found in described(DOCUMENT))
    assert [name for name, number in counted.items() if number > 1] == []
    assert operations.BY_NAME.keys() <= counted.keys(), "they are the names of RPC methods, too"


@pytest.mark.parametrize("operation", operations.ALL, ids=lambda operation: operation.name)
def test_what_a_declaration_says_is_in_the_document(operation: Operation) -> None:
    for method in operation.methods:
        found = DOCUMENT["paths"][operation.path][method.lower()]
        assert str(operation.status) in found["responses"]
        assert found["tags"] == [operation.tag]
        match operation.access:
            case "open":
                assert found["security"] == []
            case "optional":
                assert {} in found["security"]
            case _:
                assert found["security"] == [{"token": []}, {"api_key": list(operation.scopes)}, {"cookie": []}]
        told = {p["name"] for p in (resolved(DOCUMENT, p) for p in found["parameters"]) if p["in"] != "header"}
        if "requestBody" in found:
            told |= _body(found)["schema"]["properties"].keys()
        assert told == operation.request.model_fields.keys()


def _body(found: Json) -> Json:
    content = found["requestBody"]["content"]["application/json"]
    return {"schema": resolved(DOCUMENT, content["schema"]), "example": content["example"]}


@pytest.mark.parametrize("operation", BODIES, ids=lambda operation: operation.name)
def test_the_server_takes_the_requests_that_are_examples(operation: Operation) -> None:
    found = DOCUMENT["paths"][operation.path][operation.methods[0].lower()]
    path = {p["name"]: p["example"] for p in found["parameters"] if p.get("in") == "path"}
    operation.parse({**path, **_body(found)["example"]}, typed=True)
    if not found["requestBody"]["required"] and operation.name not in NOTHING_IS_TOO_LITTLE:
        operation.parse(path, typed=True)


NOTHING_IS_TOO_LITTLE = ("create_message", "add_member", "create_schedule")
"""Operations that need one of several fields, which a list of required fields cannot say."""


def test_every_error_is_an_example() -> None:
    shown: dict[str, Json] = {}
    for response in DOCUMENT["components"]["responses"].values():
        for code, example in response["content"]["application/problem+json"]["examples"].items():
            shown[code] = example["value"]["error"]
    assert shown.keys() == CODES.keys()
    for entry in ENTRIES:
        error = shown[entry.code]
        assert error["type"] == f"{PROBLEM_BASE}/{entry.slug}"
        assert (error["status"], error["retryable"]) == (entry.status, entry.is_retryable)


def test_it_is_the_same_each_time() -> None:
    script = (
        "import sys; from tests.server.api_docs.references import *; "
        "sys.stdout.buffer.write(orjson.dumps(openapi_document()))"
    )
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, check=True, env={**os.environ, "PYTHONHASHSEED": seed}
        )
        assert done.stdout == orjson.dumps(DOCUMENT)


# What is served


DOCS = Path(__file__).resolve().parents[3] / "docs"
NOT_OF_THE_API = {
    "/metrics": "metrics.md",
    "/mail/confirm": "notifications.md",
    "/mail/sign-in": "authentication.md",
    "/mail/unsubscribe": "notifications.md",
}
"""Served for scrapers, and for people who follow a link in a mail → the page of docs/ that describes it."""


async def test_what_is_served_is_documented_and_the_reverse(server: Server) -> None:
    application = make_application(server.services, Stage(), BrowserRules())
    served = set(_served(application))
    of_the_api = {(method, path) for method, path in served if path not in NOT_OF_THE_API}
    assert of_the_api == {(method, path) for path, method, _ in described(DOCUMENT)}
    assert {path for _, path in served - of_the_api} == set(NOT_OF_THE_API)


@pytest.mark.parametrize("path", NOT_OF_THE_API)
def test_what_is_not_of_the_api_is_documented_elsewhere(path: str) -> None:
    assert f"{path}`" in (DOCS / NOT_OF_THE_API[path]).read_text()


def _served(application: web.Application) -> Iterator[tuple[str, str]]:
    """HEAD goes with GET, here as there, where there is one."""
    got = {
        route.resource.canonical for route in application.router.routes() if route.resource and route.method == "GET"
    }
    for route in application.router.routes():
        assert route.resource is not None
        if route.method != "HEAD" or route.resource.canonical not in got:
            yield route.method, route.resource.canonical


def test_operations_that_are_new_need_nothing_here() -> None:
    more = Operations("robots")

    @more("GET", "/robots/{id}/go", response=None, status=303, access="optional")
    async def send_robot(call: Call, request: ById) -> Result:
        """Go where it is.

        And further.
        """
        return Result(None, redirect="/")

    @more("POST|DELETE", "/robots", response=DeletedView, access="admin")
    async def reset_robots(call: Call, request: Nothing) -> Result:
        """Start again."""
        return Result(None)

    made = openapi.document(more.all, version="1", problem_base=PROBLEM_BASE, cookie="c")
    assert list(OpenAPIV31SpecValidator(made).iter_errors()) == []
    go = made["paths"]["/api/v1/robots/{id}/go"]["get"]
    assert go["description"].startswith("And further.")
    assert "content" not in go["responses"]["303"]
    assert "Location" in go["responses"]["303"]["headers"]
    again = made["paths"]["/api/v1/robots"]
    assert (again["post"]["operationId"], again["delete"]["operationId"]) == ("reset_robots", "reset_robots_by_delete")
    assert again["post"]["requestBody"]["content"]["application/json"]["example"] == {}
