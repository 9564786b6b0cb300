"""What a hostile client tries first, against a server as it is started: each probe with the answer that it gets."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yarl

from tests.serving import Client, Server, serving

JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with serving(tmp_path / "data") as server:
        yield server


async def _probe(client: Client, method: str, path: str, **options: Any) -> aiohttp.ClientResponse:
    """The path as it is written, dots and percent signs included."""
    headers = {"Authorization": f"Bearer {client.token}", **options.pop("headers", {})}
    url = yarl.URL(client.url + path, encoded=True)
    async with client.session.request(
        method, url, headers=headers, allow_redirects=False, skip_auto_headers=["Content-Type"], **options
    ) as answer:  # fmt: skip
        await answer.read()
        return answer


PROBES = {
    "a method that shows what was sent": ("TRACE", "/api/v1/users/me", {}, 405),
    "a method of WebDAV": ("PROPFIND", "/api/v1/users/me", {}, 405),
    "a parameter twice": ("GET", "/api/v1/threads?limit=1&limit=2", {}, 400),
    "a number beyond all": ("GET", "/api/v1/threads?limit=99999999999999999999999", {}, 400),
    "a member twice": ("POST", "/api/v1/threads", {"data": b'{"title":"a","title":"b"}', "headers": JSON}, 400),
    "a role of one's own": ("PATCH", "/api/v1/users/me", {"data": b'{"role":"ADMIN"}', "headers": JSON}, 400),
    "fields of the server": ("POST", "/api/v1/threads", {"data": b'{"title":"a","offset":9}', "headers": JSON}, 400),
    "a line break in a name": ("PATCH", "/api/v1/users/me", {"data": b'{"name":"a\\r\\nb"}', "headers": JSON}, 400),
    "XML": ("POST", "/api/v1/threads", {"data": b"<a/>", "headers": {"Content-Type": "text/xml"}}, 415),
    "a body without a type": ("POST", "/api/v1/threads", {"data": b'{"title":"a"}'}, 415),
    "an object in an object, and so on": (
        "POST", "/api/v1/threads",
        {"data": b'{"title":"a","metadata":' + b'{"a":' * 99 + b"1" + b"}" * 100, "headers": JSON}, 400,
    ),
    "a path out of the folder": ("GET", "/docs/static/../../../../etc/passwd", {}, 404),
    "the same in percent signs": ("GET", "/%2e%2e/%2e%2e/etc/passwd", {}, 404),
    "files of the project": ("GET", "/.git/config", {}, 404),
    "a folder": ("GET", "/docs/static/", {}, 404),
    "a zero byte": ("GET", "/api/v1/threads/%00", {}, 404),
    "what administrators read": ("GET", "/api/v1/admin/audit", {}, 403),
    "metrics from far away": ("GET", "/metrics", {"headers": {"X-Forwarded-For": "192.0.2.1"}}, 403),
    "metrics by a forged address": ("GET", "/metrics", {"headers": {"X-Forwarded-For": "127.0.0.1"}}, 403),
    "a provider that is not there": ("GET", "/api/v1/auth/oauth/google?return_to=//evil.example", {}, 404),
}  # fmt: skip


async def test_each_probe_is_refused(server: Server) -> None:
    eve = server.client("eve")
    found = {name: await _probe(eve, method, path, **options) for name, (method, path, options, _) in PROBES.items()}
    assert {name: answer.status for name, answer in found.items()} == {name: each[3] for name, each in PROBES.items()}
    for name, answer in found.items():
        assert answer.headers["Content-Type"].startswith("application/"), name
        assert answer.headers["X-Content-Type-Options"] == "nosniff", name
        assert "Python" not in answer.headers.get("Server", ""), name


async def test_a_token_in_the_query_signs_nobody_in(server: Server) -> None:
    eve = server.client("eve")
    for name in ("token", "access_token", "auth", "jwt"):
        answer = await _probe(eve, "GET", f"/api/v1/users/me?{name}={eve.token}", headers={"Authorization": ""})
        assert answer.status == 401, name


async def test_a_header_is_no_other_method(server: Server) -> None:
    alice = server.client("alice")
    thread = await alice.thread()
    for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        await _probe(alice, "POST", f"/api/v1/threads/{thread['id']}/read", headers={name: "DELETE"})
    assert (await alice.get(f"/api/v1/threads/{thread['id']}")).status == 200


async def test_an_id_that_one_knows_opens_nothing(server: Server) -> None:
    alice, eve = server.client("alice"), server.client("eve")
    thread = await alice.thread("secret")
    message = await alice.say(thread, "secret")
    paths = (f"/api/v1/threads/{thread['id']}", f"/api/v1/messages/{message['id']}")
    for path in paths:
        for method in ("GET", "DELETE"):
            answer = await eve.request(method, path)
            assert answer.status == 404
            assert b"secret" not in answer.raw
    assert (await alice.get(paths[1])).data["content"] == "secret"


async def test_every_kind_of_answer_has_a_type(server: Server) -> None:
    alice = server.client("alice")
    for path in ("/", "/api/v1", "/health", "/api/v1/threads", "/api/v1/openapi.json", "/metrics", "/nothing"):
        answer = await alice.get(path)
        assert "Content-Type" in answer.headers, path
        if answer.headers["Content-Type"].startswith("text/"):
            assert "charset=utf-8" in answer.headers["Content-Type"].lower(), path
