"""The pages and documents that the server itself serves: to everybody, from here alone, and kept by browsers."""

import re
from html import escape
from html.parser import HTMLParser

import orjson
import pytest

from actors.errors import CODES
from server.api import operations
from server.api_docs.assets import assets
from server.api_docs.openapi import document
from server.api_docs.pages import POLICY
from server.http.catalogue import ENTRIES
from server.http.problems import slug
from tests.server.one_server import server
from tests.server.operations.sweep.requests import check_problem
from tests.serving import Answer, Server

__all__ = ["server"]

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGES = ("/", "/docs", "/docs/events", "/problems", *(f"/problems/{entry.slug}" for entry in ENTRIES))
DOCUMENTS = ("/openapi.json", "/asyncapi.json")


async def ask(server: Server, path: str, method: str = "GET", **headers: str) -> Answer:
    """As somebody who is not signed in."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    async with server.session.request(method, server.url + path, headers=sent) as response:
        return Answer(response.status, response.headers, await response.read())


class Page(HTMLParser):
    """What a page loads, links to, and has in it that its policy forbids."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.inline: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        target = found.get("src") or found.get("href") or ""
        (self.links if tag == "a" else self.loads).append(target)
        if (tag == "script" and "src" not in found) or any(name.startswith("on") for name in found):
            self.inline.append(self.get_starttag_text() or tag)


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_needs_nothing_from_elsewhere(path: str, server: Server) -> None:
    answer = await ask(server, path, Authorization="nonsense")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Content-Security-Policy"] == POLICY
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Correlation-ID"]
    page = Page(answer.raw.decode())
    assert ("meta", {"charset": "utf-8"}) in page.tags
    assert [found["lang"] for tag, found in page.tags if tag == "html"] == ["en"]
    assert page.inline == [], "its policy would stop it"
    loads = [target for target in page.loads if target and not target.startswith("data:")]
    assert loads
    for target in loads:
        assert re.fullmatch(r"/docs/static/[0-9a-f]{16}/[\w.-]+", target), target
        assert (await ask(server, target)).status == 200
    for target in page.links:
        assert re.match(r"/[^/]", target), target
        assert (await ask(server, target)).status == 200, target


async def test_the_policy_allows_nothing_from_elsewhere(server: Server) -> None:
    policy = (await ask(server, "/docs")).headers["Content-Security-Policy"]
    assert "http" not in policy
    assert "'unsafe-eval'" not in policy
    assert "script-src 'self';" in policy


@pytest.mark.parametrize("path", [*PAGES[:4], *DOCUMENTS, *(asset.path for asset in assets().values())])
async def test_what_has_not_changed_is_not_sent_again(path: str, server: Server) -> None:
    first = await ask(server, path)
    etag = first.headers["ETag"]
    for asked in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = await ask(server, path, If_None_Match=asked)
        assert (again.status, again.raw, again.headers["ETag"]) == (304, b"", etag)
    for asked in ('"other"', "nonsense", ""):
        assert (await ask(server, path, If_None_Match=asked)).raw == first.raw
    head = await ask(server, path, "HEAD")
    assert (head.status, head.raw, head.headers["ETag"]) == (200, b"", etag)
    assert head.headers["Content-Length"] == first.headers["Content-Length"]
    for_good = path.startswith("/docs/static/")
    assert first.headers["Cache-Control"] == ("public, max-age=31536000, immutable" if for_good else "public, no-cache")


@pytest.mark.parametrize("path", DOCUMENTS)
async def test_documents_are_for_programs(path: str, server: Server) -> None:
    answer = await ask(server, path)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.json["info"]["version"] == server.services.version


async def test_the_document_is_the_one_that_is_made_from_the_operations(server: Server) -> None:
    services = server.services
    made = document(
        operations.ALL, version=services.version, problem_base=services.problem_base, cookie=services.sign_ins.cookie
    )
    assert (await ask(server, "/openapi.json")).raw == orjson.dumps(made)


# Assets


async def test_assets_are_what_they_are(server: Server) -> None:
    for asset in assets().values():
        answer = await ask(server, asset.path)
        assert answer.raw == asset.body
        assert answer.headers["Content-Type"] == f"{asset.media_type}; charset=utf-8"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path", ["0123456789abcdef/page.css", "{digest}/start.js", "{digest}/..%2fpage.css", "{digest}/%2e%2e", "{digest}/"]
)
async def test_what_is_no_asset(path: str, server: Server) -> None:
    answer = await ask(server, "/docs/static/" + path.replace("{digest}", assets()["page.css"].digest))
    assert check_problem(answer, 404)["code"] == "not_found"


# Problems


@pytest.mark.parametrize("code", CODES)
async def test_every_problem_has_its_page(code: str, server: Server) -> None:
    page = (await ask(server, f"/problems/{slug(code)}")).raw.decode()
    assert f"<code>{code}</code>" in page
    assert escape(CODES[code].title) in page


async def test_the_type_of_a_problem_that_came_is_the_address_of_its_page(server: Server) -> None:
    refused = await ask(server, "/api/v1/threads")
    kind = check_problem(refused, 401)["type"]
    assert kind.startswith(server.services.problem_base)
    path = "/problems" + kind.removeprefix(server.services.problem_base)
    assert b"<h1>Not signed in</h1>" in (await ask(server, path)).raw


@pytest.mark.parametrize("name", ["nonsense", "not_found", "NOT-FOUND", "%3Cscript%3E", "not-found/"])
async def test_a_problem_that_there_is_not(name: str, server: Server) -> None:
    assert check_problem(await ask(server, f"/problems/{name}"), 404)["code"] == "not_found"


async def test_what_the_pages_say_is_escaped(server: Server) -> None:
    page = (await ask(server, "/docs/events")).raw.decode()
    assert "&quot;push&quot;" in page
    assert "<script" not in page


async def test_the_address_that_the_server_prints_greets_a_browser(server: Server) -> None:
    answer = await ask(server, "/", Accept="text/html")
    assert answer.status == 200
    page = Page(answer.raw.decode())
    assert {"/docs", "/docs/events", "/problems", "/health"} <= set(page.links)
    assert "xp token" in answer.raw.decode()
    assert (await ask(server, "/", "POST")).status == 405


async def test_no_header_is_filled_in_for_who_tries_an_operation(server: Server) -> None:
    """A key that is always the same would make the second request a repetition of the first."""
    found = orjson.loads((await ask(server, "/openapi.json")).raw)
    headers = found["components"]["parameters"]
    for name in ("Idempotency-Key", "X-Correlation-ID"):
        assert headers[name].keys() & {"example", "examples"} == set()
        assert headers[name]["schema"].keys() & {"example", "examples", "default"} == set()


async def test_the_example_of_a_thread_works_as_it_is(server: Server) -> None:
    found = orjson.loads((await ask(server, "/openapi.json")).raw)
    body = found["paths"]["/api/v1/threads"]["post"]["requestBody"]["content"]["application/json"]["example"]
    assert (await server.client("alice").post("/api/v1/threads", **body)).status == 201
