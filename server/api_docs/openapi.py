"""The OpenAPI 3.1 document of the REST API, made from the registry of operations and the models.

Nothing in it is written by hand for one operation, but for what a declaration does not say: `OTHER_ANSWERS`.
"""

import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel

from server.api.envelope import FailureView, ListMetadataView, MetadataView
from server.api.registry import Operation
from server.api_docs import json_schemas, openapi_components, openapi_routes
from server.api_docs.examples import SOME_ID, TIME, Examples
from server.api_docs.json_schemas import Schema
from server.api_docs.openapi_components import Json, answer_headers, failures, parameter

OTHER_ANSWERS: Final[Mapping[str, Mapping[int, str]]] = {
    "toggle_reaction": {200: "The reaction existed and was removed."},
    "finish_oauth": {303: "Signed in with cookies, and redirected to `return_to`."},
}
"""Operation → further statuses that are a success."""

_DESCRIPTION: Final = """\
Threads, messages and reactions for people and AI agents. Responses have an envelope: `data` and `metadata`, or
`error`. Every operation is also an RPC method over the WebSocket, named by its `operationId`. `HEAD` returns the
headers of `GET`. Live updates are described in [/asyncapi.json](/asyncapi.json) and on [/docs/events](/docs/events).
"""


def document(operations: Sequence[Operation], *, version: str, problem_base: str, cookie: str) -> Json:
    """Stable: the same operations make the same document, to the byte. `cookie` is the name of the one with tokens."""
    models: list[type[BaseModel]] = [FailureView, MetadataView, ListMetadataView]
    for operation in operations:
        models += [operation.request, *([operation.response] if operation.response else [])]
    maker = _Maker(json_schemas.of_models(models), operations)
    paths: dict[str, Json] = {}
    for operation in operations:
        for number, method in enumerate(operation.methods):
            found = paths.setdefault(operation.path, {})
            found[method.lower()] = maker.operation(operation, method, is_first=number == 0)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Experience server",
            "version": version,
            "summary": "Real-time messaging.",
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "This server."}],
        "tags": [*_tags(operations), *openapi_routes.TAGS],
        "paths": paths | openapi_routes.paths(),
        "components": {
            "schemas": maker.schemas,
            "responses": openapi_components.responses(problem_base),
            "parameters": openapi_components.parameters(),
            "headers": openapi_components.headers(),
            "securitySchemes": openapi_components.security_schemes(cookie),
        },
    }


def _tags(operations: Sequence[Operation]) -> list[Json]:
    """Each is described by the module that has its first operation."""
    found: dict[str, str] = {}
    for operation in operations:
        about = (sys.modules[operation.handler.__module__].__doc__ or "").partition("\n")[0]
        found.setdefault(operation.tag, about)
    return [{"name": name, "description": description} for name, description in found.items()]


def is_list(operation: Operation) -> bool:
    """Short lists come whole, others as pages."""
    return operation.paged or operation.name.startswith("list_")


class _Maker:
    def __init__(self, schemas: dict[str, Schema], operations: Sequence[Operation]) -> None:
        self._models = schemas
        self._examples = Examples(schemas)
        self._requests = {json_schemas.name_of(operation.request) for operation in operations}
        self._bodies: dict[str, Schema] = {}

    @property
    def schemas(self) -> dict[str, Schema]:
        """Those that the operations refer to; a request is shown as its parameters and its body."""
        shown = {name: schema for name, schema in self._models.items() if name not in self._requests}
        return dict(sorted((shown | self._bodies).items()))

    def operation(self, operation: Operation, method: str, *, is_first: bool) -> Json:
        """`is_first`: of the methods that do the same; it has the operation's own name."""
        made: Json = {
            "operationId": operation.name if is_first else f"{operation.name}_by_{method.lower()}",
            "tags": [operation.tag],
            "summary": operation.summary,
            "description": _description(operation, method, is_first=is_first),
            "parameters": [*self._path(operation), *self._query(operation), *_headers(operation, method)],
        }
        if operation.has_body:
            made["requestBody"] = self._body(operation)
        made["responses"] = self._answers(operation, method) | failures(_statuses(operation, method))
        made["security"] = _security(operation)
        return made

    # What comes in

    def _fields(self, operation: Operation) -> Mapping[str, Schema]:
        properties: Mapping[str, Schema] = self._models[json_schemas.name_of(operation.request)].get("properties", {})
        return properties

    def _path(self, operation: Operation) -> list[Json]:
        fields = self._fields(operation)
        return [
            {
                "name": name,
                "in": "path",
                "required": True,
                "schema": fields[name],
                "example": self._examples.of(fields[name], name),
            }
            for name in operation.path_parameters
        ]

    def _query(self, operation: Operation) -> list[Json]:
        model = self._models[json_schemas.name_of(operation.request)]
        return [
            _query_parameter(name, schema, is_required=name in model.get("required", ()))
            for name, schema in self._fields(operation).items()
            if name not in operation.path_parameters and (not operation.has_body or name in operation.request.in_query)
        ]

    def _body(self, operation: Operation) -> Json:
        model = self._models[json_schemas.name_of(operation.request)]
        apart = {*operation.path_parameters, *operation.request.in_query}
        schema = {**model, "properties": {n: s for n, s in model.get("properties", {}).items() if n not in apart}}
        schema["required"] = [name for name in model.get("required", ()) if name not in apart]
        schema["title"] = "".join(map(str.capitalize, operation.name.split("_"))) + "Body"
        if not schema["required"]:
            del schema["required"]
        schema = json_schemas.with_defaults_in_words(schema)
        self._bodies[schema["title"]] = schema
        content = {
            "schema": {"$ref": json_schemas.REFERENCE + schema["title"]},
            "example": self._examples.request(operation.name, schema),
        }
        return {
            "required": not schema.keys().isdisjoint(("required", "oneOf")),
            "content": {"application/json": content, **self._wrapped(operation, schema["properties"])},
        }

    def _wrapped(self, operation: Operation, fields: Mapping[str, Schema]) -> Json:
        """Bodies that are one field, by a media type of their own."""
        return {
            media_type: {"schema": fields[name], "example": self._examples.of(fields[name], name)}
            for media_type, name in operation.request.wrapped.items()
        }

    # What goes out

    def _answers(self, operation: Operation, method: str) -> Json:
        also = OTHER_ANSWERS.get(operation.name, {})
        made = {str(operation.status): self._answer(operation, operation.status, operation.summary)}
        for status, description in also.items():
            made[str(status)] = self._answer(operation, status, description)
        if _has_versions(operation, method):
            headers = answer_headers("ETag")
            what = "page" if operation.paged else "resource"
            made["304"] = {"description": f"The {what} still has the ETag in `If-None-Match`.", "headers": headers}
        return dict(sorted(made.items()))

    def _answer(self, operation: Operation, status: int, description: str) -> Json:
        if operation.response is None or 300 <= status < 400:
            return {"description": description, "headers": answer_headers("Location")}
        names = ["Location"] if status in (201, 202) else []
        schema, example = self._envelope(operation, operation.response)
        return {
            "description": description,
            "headers": answer_headers("ETag", *names) if _has_tag(operation) else answer_headers(),
            "content": {"application/json": {"schema": schema, "example": example}},
        }

    def _envelope(self, operation: Operation, response: type[BaseModel]) -> tuple[Schema, Any]:
        data = json_schemas.reference(response)
        if is_list(operation):
            data = {"type": "array", "items": data}
        metadata = ListMetadataView if operation.paged else MetadataView
        schema = {
            "type": "object",
            "properties": {
                "success": {"const": True},
                "data": data,
                "metadata": json_schemas.reference(metadata),
            },
            "required": ["success", "data", "metadata"],
            "additionalProperties": False,
        }
        envelope_metadata: Json = {"timestamp": TIME, "correlation_id": SOME_ID, "version": "1.0"}
        if operation.paged:
            envelope_metadata["pagination"] = {"limit": 30, "next_cursor": None, "has_more": False}
        return schema, {"success": True, "data": self._examples.of(data), "metadata": envelope_metadata}


def _query_parameter(name: str, schema: Schema, *, is_required: bool) -> Json:
    shown = {"description": "", **json_schemas.without_null(schema)}
    description = shown.pop("description")
    made: Json = {"name": name, "in": "query", "required": is_required, "schema": shown}
    return made | ({"description": description} if description else {})


def _headers(operation: Operation, method: str) -> list[Json]:
    names = ["X-Correlation-ID"]
    if _takes_key(operation, method):
        names.append("Idempotency-Key")
    if method in ("PUT", "PATCH", "DELETE"):
        names.append("If-Match")
    if _has_versions(operation, method):
        names.append("If-None-Match")
    return [parameter(name) for name in names]


def _takes_key(operation: Operation, method: str) -> bool:
    return operation.takes_key(method) and operation.access != "open"


def _has_versions(operation: Operation, method: str) -> bool:
    if method != "GET":
        return False
    return operation.keeps_pages or (operation.access in ("user", "admin") and not is_list(operation))


def _has_tag(operation: Operation) -> bool:
    return operation.keeps_pages or not operation.paged


def _statuses(operation: Operation, method: str) -> set[int]:
    """Of the failures that may come."""
    found = {400, 404, 405, 429, 500, 503, *operation.failures}
    if operation.access in ("user", "admin") or operation.rate == "auth":
        found |= {401, 403}
    if operation.has_body:
        found |= {413, 415}
    if method != "GET":
        found.add(409)
    if _takes_key(operation, method):
        found.add(422)
    if method in ("PUT", "PATCH", "DELETE"):
        found.add(412)
    return found


def _security(operation: Operation) -> list[Json]:
    if operation.access == "open":
        return []
    ways: list[Json] = [{"token": []}, {"api_key": list(operation.scopes)}, {"cookie": []}]
    return [{}, *ways] if operation.access == "optional" else ways


def _description(operation: Operation, method: str, *, is_first: bool) -> str:
    parts = [operation.description] if operation.description else []
    if not is_first:
        parts.append(f"`{method}` does the same as `{operation.methods[0]}`: omitted fields are not changed.")
    if operation.access == "admin":
        parts.append("For administrators.")
    if operation.access in ("user", "admin"):
        parts.append(f"An API key needs the scope {' and '.join(f'`{scope}`' for scope in operation.scopes)}.")
    parts.append(f"Rate limit: `{operation.rate}`.")
    return " ".join(parts)
