"""No route of the application is beside the pipeline, but those that are listed here with their reason."""

import re
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from actors.errors import Conflict
from actors.identifiers import new_id
from server.api import pipeline
from server.api.endpoints import Endpoint
from server.api_docs import openapi_routes
from server.auth.authentication import BrowserRules
from server.http.application import make_application
from tests.server.operations.sweep.people import key_of
from tests.serving import Answer, Client, Server, serving

CONNECTIONS = "its `connect` command identifies, and each `rpc` in it goes through the pipeline"
CONSTANT = "the same for everyone, from memory"
OUTSIDE: Mapping[str, str] = {
    "GET /connection/websocket": CONNECTIONS,
    "GET /api/v1/ws": CONNECTIONS,
    "GET /connection/sse": CONNECTIONS,
    "POST /connection/http_stream": CONNECTIONS,
    "POST /emulation": "commands of such a connection, known by its session",
    "OPTIONS /api/v1/files/uploads": CONSTANT,
    "OPTIONS /api/v1/files/uploads/{upload_id}": CONSTANT,
    "GET /metrics": "for scrapers, which have networks or a token of their own, and no identity",
    "GET /": CONSTANT,
    "GET /docs": CONSTANT,
    "GET /docs/events": CONSTANT,
    "GET /docs/static/{digest}/{name}": CONSTANT,
    "GET /openapi.json": CONSTANT,
    "GET /asyncapi.json": CONSTANT,
    "GET /problems": CONSTANT,
    "GET /problems/{slug}": CONSTANT,
}


@contextmanager
def recorded(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What the pipeline is asked for; nothing of it is done."""
    targets: list[Any] = []

    async def run(target: Any, services: Any, end: Any) -> Any:
        targets.append(target)
        raise Conflict("It goes through the pipeline.")

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "run", run)
        yield targets


def routes_of(server: Server) -> list[tuple[str, str]]:
    """Method and path of all routes of the application."""
    application = make_application(server.services, server.services.stage, BrowserRules())
    found = {
        (route.method, route.resource.canonical)
        for route in application.router.routes()
        if isinstance(route.resource, web.Resource)
    }
    return sorted(found, key=lambda each: (each[1], each[0]))


def filled(path: str) -> str:
    return re.sub(r"\{\w+\}", "1", re.sub(r"\{\w*id\}", new_id(), path))


async def asked(who: Client, method: str, path: str, headers: Mapping[str, str] | None = None) -> Answer:
    return await who.request(method, filled(path), headers=headers, allow_redirects=False)


@pytest.fixture
async def limited(tmp_path: Path) -> AsyncIterator[Server]:
    async with serving(tmp_path / "data", RATE_LIMITS="on", STATUS_PAGE="public") as server:
        yield server


async def endpoints_of(server: Server, monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], Endpoint]:
    who = server.client("alice")
    found: dict[tuple[str, str], Endpoint] = {}
    with recorded(monkeypatch) as targets:
        for method, path in routes_of(server):
            targets.clear()
            form = {"Content-Type": "multipart/form-data; boundary=x"} if path == "/api/v1/files" else None
            await asked(who, method, path, form)
            if targets and isinstance(targets[0], Endpoint):
                found[method, path] = targets[0]
    return found


async def test_every_route_is_an_end_of_the_pipeline(limited: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    beside = set()
    with recorded(monkeypatch) as targets:
        for method, path in routes_of(limited):
            targets.clear()
            await asked(limited.client("alice"), method, path)
            if not targets:
                beside.add(f"{method} {path}")
    heads = {route for route in beside if route.startswith("HEAD ") and route.replace("HEAD", "GET", 1) in beside}
    assert beside - heads == OUTSIDE.keys()


KEPT: Mapping[str, tuple[str, str]] = dict.fromkeys(
    ("/", "/docs", "/docs/events", "/openapi.json", "/asyncapi.json", "/problems", "/problems/conflict"),
    ("public, no-cache", "Accept-Encoding"),
)
"""Path → `Cache-Control` and `Vary` of what is not refused here, beside the answers of operations: those are held to it
in the sweep over all of them, and bytes of files in `tests/server/files/downloads`."""


async def test_no_refusal_and_no_page_of_a_user_is_kept(limited: Server) -> None:
    """Every route, asked by a stranger for what is not there."""
    stranger = limited.client("stranger")
    stranger.token = "none"
    for method, path in routes_of(limited):
        answer = await asked(stranger, method, path.replace("{slug}", "conflict"))
        found = (answer.headers["Cache-Control"].replace(", no-transform", ""), answer.headers.get("Vary"))
        expected = KEPT.get(path.replace("{slug}", "conflict"), ("no-store", None))
        assert found == (expected if answer.status == 200 else ("no-store", None)), (method, path, answer.status)


async def test_an_endpoint_has_its_name_in_openapi(limited: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    named = {
        (method.upper(), path): described["operationId"]
        for path, methods in openapi_routes.paths().items()
        for method, described in methods.items()
    }
    found = await endpoints_of(limited, monkeypatch)
    assert len(found) > 20
    for (method, path), endpoint in found.items():
        if path.startswith("/mail/") or path == "/api/v1/files" or (method == "HEAD" and ("GET", path) in found):
            continue  # pages behind links in mails; the form of an operation; the head of what is read
        assert named[method, path] == endpoint.name


async def test_a_refused_key_draws_and_is_kept_everywhere(limited: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that may not: its rate counts nevertheless, and an administrator can say why it was refused."""
    found = await endpoints_of(limited, monkeypatch)
    alice = limited.client("alice")
    alice_id = (await alice.me())["id"]
    keys = {"read": await key_of(alice, frozenset({"write"})), "write": await key_of(alice, frozenset({"read"}))}
    for (method, path), endpoint in found.items():
        if endpoint.access != "user":
            continue
        form = {"Content-Type": "multipart/form-data; boundary=x"} if path == "/api/v1/files" else None
        answer = await asked(keys[endpoint.scope], method, path, form)
        assert answer.status == 403, (method, path, answer.raw)
        assert method == "HEAD" or answer.error["code"] == "scope_missing", (method, path)
        assert answer.headers["RateLimit"].startswith(f'"{endpoint.rate}"'), (method, path)
        newest = limited.services.refusals.of(alice_id)[0]
        assert (newest["operation"], newest["code"]) == (endpoint.name, "scope_missing"), (method, path)


async def test_a_signed_url_draws_from_the_rate_of_what_it_does(limited: Server) -> None:
    alice = limited.client("alice")
    alice_id = (await alice.me())["id"]
    keys = limited.services.files.url_keys.keys
    for method, path, rate in (
        ("GET", "/api/v1/files/{file_id}/content", "read"),
        ("GET", "/api/v1/artifacts/shared/{share_id}", "costly"),
        ("PUT", "/api/v1/files/uploads/{upload_id}/bytes", "write"),
    ):
        url = keys.sign(method, filled(path), alice_id, int(time.time()) + 60)
        async with limited.session.request(method, limited.url + url) as answer:
            assert answer.status == 404, await answer.text()
            assert answer.headers["RateLimit"].startswith(f'"{rate}"'), path


async def test_pages_draw_too(limited: Server) -> None:
    for method, path, rate in (
        ("GET", "/status", "costly"), ("GET", "/mail/unsubscribe?token=x", "read"),
        ("POST", "/mail/unsubscribe?token=x", "write"),
    ):  # fmt: skip
        async with limited.session.request(method, limited.url + path) as answer:
            assert answer.headers["RateLimit"].startswith(f'"{rate}"'), path


async def test_what_is_not_found_over_a_stream_or_an_export_is_kept(limited: Server) -> None:
    alice = limited.client("alice")
    alice_id = (await alice.me())["id"]
    for path, name in (
        ("/api/v1/threads/{id}/events", "follow_thread"), ("/api/v1/artifacts/{id}/events", "follow_artifact"),
        ("/api/v1/threads/{id}/export", "export_thread"), ("/api/v1/artifacts/{id}/export", "export_artifact"),
        ("/api/v1/exports/{id}/content", "get_export_content"), ("/api/v1/files/{id}/content", "read_file"),
    ):  # fmt: skip
        assert (await asked(alice, "GET", path)).status == 404
        assert limited.services.refusals.of(alice_id)[0]["operation"] == name


async def test_a_file_that_is_made_by_json_is_counted_as_its_operation(limited: Server) -> None:
    made = await limited.client("alice").post("/api/v1/files", name="a.txt")
    assert made.status == 201, made.raw
    assert limited.services.measures.operation_seconds["create_file", "rest"].count == 1
