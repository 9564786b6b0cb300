"""The documents and pages that describe the server, made from its operations and models. Loaded with the first one."""

import orjson

from actors.errors import NotFound
from server.api import operations
from server.api_docs import asyncapi, event_page, html, openapi
from server.api_docs.document import HTML, Document, document
from server.api_docs.openapi_components import problem_example
from server.http.catalogue import BY_SLUG


def openapi_json(version: str, problem_base: str, cookie: str) -> Document:
    made = openapi.document(operations.ALL, version=version, problem_base=problem_base, cookie=cookie)
    return document(orjson.dumps(made), "application/json")


def asyncapi_json(version: str) -> Document:
    return document(orjson.dumps(asyncapi.document(version=version)), "application/json")


def start_page(version: str) -> Document:
    return document(html.start_page(version), HTML)


def api_page() -> Document:
    return document(html.api_page(), HTML)


def events_page(version: str) -> Document:
    return document(event_page.render(asyncapi.document(version=version)), HTML)


def problems_page() -> Document:
    return document(html.problems_page(), HTML)


def problem_page(slug: str, problem_base: str) -> Document:
    """Raises `NotFound` for a kind of problem that there is not."""
    entry = BY_SLUG.get(slug)
    if entry is None:
        raise NotFound("kind of problem", slug[:100])
    return document(html.problem_page(entry, problem_example(entry, problem_base)), HTML)
