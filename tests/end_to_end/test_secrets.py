"""Secrets that come in by every way come out by none: not in logs, errors, the audit log, `xp`, or the database."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.end_to_end.administration import xp
from tests.realtime_client import Disconnected, raw_client
from tests.server.raw_http import raw_connection
from tests.serving import Client, ServerProcess
from tests.tokens import SECRET

API, LOGIN = "/api/v1", "/api/v1/auth/login"
CLIENT_SECRET = "the-secret-of-the-provider"
GOOD, NEXT = "a good password of alice", "the next password of alice"
WRONG, SHORT, LONG = "a wrong password", "sh0rtpw-", "a long password " * 70
MARK = "xplanted-{}-in-the-open"
"""What a client sends as if it were a secret; nobody knows what it is, so it must be nowhere."""


class Mallory:
    """Sends secrets, and keeps what is answered to what goes wrong."""

    def __init__(self, session: aiohttp.ClientSession, process: ServerProcess) -> None:
        self.session = session
        self.url = process.url
        self.process = process
        self.planted: set[str] = {SECRET.decode(), CLIENT_SECRET}
        self.refusals: list[bytes] = []

    def secret(self, text: str) -> str:
        self.planted.add(text)
        return text

    def mark(self, way: str) -> str:
        return self.secret(MARK.format(way))

    async def send(self, method: str, path: str, headers: dict[str, str] | None = None, **options: Any) -> Any:
        async with self.session.request(method, self.url + path, headers=headers, **options) as response:
            raw = await response.read()
            if response.status >= 400:
                self.refusals += [raw, repr(response.headers).encode()]
                return response.status
            return (await response.json())["data"]

    async def login(self, **body: Any) -> Any:
        answer = await self.send("POST", LOGIN, json=body)
        if isinstance(answer, dict):
            self.planted |= {answer["access_token"], answer["refresh_token"]}
        return answer


@pytest.fixture
async def mallory(tmp_path: Path) -> AsyncIterator[Mallory]:
    """In front of a server that logs whatever it can."""
    more = {"LOG_LEVEL": "debug", "OIDC_CLIENT_ID": "experience", "OIDC_CLIENT_SECRET": CLIENT_SECRET}
    process = ServerProcess(tmp_path / "data", **more, PUBLIC_URL="https://chat.example.com")
    await process.start()
    async with aiohttp.ClientSession() as session:
        yield Mallory(session, process)
    if process.process is not None and process.process.returncode is None:
        await process.stop()


async def by_headers(mallory: Mallory) -> None:
    me = f"{API}/auth/me"
    for number, headers in enumerate(
        (
            {"Authorization": "Bearer {}"}, {"Authorization": "Basic {}"}, {"Authorization": "Bearer xpk_{}"},
            {"Authorization": "Bearer a.{}.c"}, {"Cookie": "rpotential_auth={}"}, {"Idempotency-Key": "{}\u00e9\t"},
            {"Referer": "https://app.example.com/?token={}"}, {"If-Match": "{}"}, {"X-API-Key": "{}"},
        )
    ):  # fmt: skip
        planted = {name: value.format(mallory.mark(f"header-{number}")) for name, value in headers.items()}
        assert await mallory.send("GET", me, planted) == 401
        await mallory.send("POST", LOGIN, planted, json={})
    for line in (
        "Authorization: Bearer {}\x00",
        "Authorization Bearer {}",
        "Authori zation: {}",
        "Cookie: a={}\x7f\x01",
    ):
        async with raw_connection(mallory.url) as connection:
            planted_line = line.format(mallory.mark(f"line-{line.index('{')}-{len(line)}"))
            mallory.refusals.append((await connection.ask(f"GET {me} HTTP/1.1", planted_line)).raw)


async def by_queries(mallory: Mallory) -> None:
    for path in (f"{API}/threads?access_token=", "/connection/websocket?token=", "/health?password=",
                 f"{API}/auth/oauth/google/callback?state=x&code=", f"{LOGIN}?link="):  # fmt: skip
        method = "POST" if path.startswith(LOGIN) else "GET"
        await mallory.send(method, path + mallory.mark(f"query-{len(path)}"))


async def by_bodies(mallory: Mallory) -> None:
    email = "alice@rpotential.ai"
    for body in (
        {"email": email, "password": WRONG}, {"email": "nobody@rpotential.ai", "password": WRONG},
        {"email": email, "password": LONG}, {"email": "no address", "password": WRONG},
        {"email": email, "password": [WRONG]}, {"email": email, "password": {"is": WRONG}}, {"passwort": WRONG},
        {"link": mallory.mark("link")}, {"link": "xpl_" + LONG}, {"link": "xpl_x", "new_password": SHORT},
        {"link": "xpl_x", "password": WRONG}, {"email": email, "password": WRONG, "new_password": SHORT},
    ):  # fmt: skip
        assert await mallory.login(**body) in (401, 400), body
    for refresh in (mallory.mark("refresh"), "xpr_" + LONG, [mallory.mark("refresh-list")]):
        assert await mallory.send("POST", f"{API}/auth/refresh", json={"refresh_token": refresh}) in (401, 400)
    broken = f'{{"password": "{mallory.mark("broken-json")}" "email"'
    for content_type in ("application/json", "text/plain", "application/x-www-form-urlencoded"):
        await mallory.send("POST", LOGIN, {"Content-Type": content_type}, data=broken)
    mallory.planted |= {WRONG, SHORT, LONG}


async def by_sockets(mallory: Mallory) -> None:
    for verb, body in (
        ("connect", {"token": mallory.mark("socket")}), ("connect", {"token": [mallory.mark("socket-list")]}),
        ("rpc", {"method": "login", "data": {"email": "alice@rpotential.ai", "password": WRONG}}),
    ):  # fmt: skip
        async with raw_client(mallory.session, mallory.process.websocket_url) as socket:
            try:
                mallory.refusals.append(repr(await socket.ask(verb, **body)).encode())
            except Disconnected as end:
                mallory.refusals.append(str(end).encode())
        async with mallory.session.ws_connect(mallory.process.websocket_url) as garbage:
            await garbage.send_str(f'{{"connect": {{"token": "{mallory.mark("garbage")}"')
            mallory.refusals.append(repr(await garbage.receive()).encode())


async def by_using_them(mallory: Mallory) -> None:
    """Every secret that is good once, used, used again, and given to whom it is none of."""
    root = Client(mallory.session, mallory.url, "root", role="ADMIN")
    alice = Client(mallory.session, mallory.url, "alice")
    mallory.planted |= {root.token, alice.token}
    her = (await alice.me())["id"]
    links = [(await root.post(f"{API}/admin/users/{her}/sign-in-link")).data["link"] for _ in range(2)]
    mallory.planted |= {*links, GOOD, NEXT}
    device = await mallory.login(link=links[0], new_password=GOOD)
    assert await mallory.login(link=links[0]) == 401
    assert isinstance(await mallory.login(email="alice@rpotential.ai", password=GOOD), dict)
    bearer = {"Authorization": f"Bearer {device['access_token']}"}
    for current, new in ((WRONG, NEXT), (GOOD, SHORT), (GOOD, NEXT)):
        body = {"current_password": current, "new_password": new}
        changed = await mallory.send("POST", f"{API}/auth/password", bearer, json=body)
        assert isinstance(changed, dict) == (new == NEXT and current == GOOD)
    key = await mallory.send("POST", f"{API}/auth/api-keys", bearer, json={"name": "A key", "scopes": ["read"]})
    mallory.secret(key["key"])
    by_key = {"Authorization": f"Bearer {key['key']}"}
    assert await mallory.send("POST", f"{API}/threads", by_key, json={"title": "x"}) == 403
    await mallory.send("DELETE", f"{API}/auth/api-keys/{key['id']}", bearer)
    assert await mallory.send("GET", f"{API}/auth/me", by_key) == 401
    refresh = {"refresh_token": device["refresh_token"]}
    following = refresh
    for _ in range(2):
        renewed = await mallory.send("POST", f"{API}/auth/refresh", json=following)
        mallory.planted |= {renewed["access_token"], renewed["refresh_token"]}
        following = {"refresh_token": renewed["refresh_token"]}
    for _ in range(2):
        assert await mallory.send("POST", f"{API}/auth/refresh", json=refresh) == 401
    assert await mallory.send("GET", f"{API}/auth/me", bearer) == 401
    for path in (f"{API}/admin/audit?limit=100", f"{API}/admin/users/{her}/trace", f"{API}/users/{her}/export",
                 f"{API}/admin/sessions", f"{API}/admin/connections"):  # fmt: skip
        mallory.refusals.append((await root.get(path)).raw)
    await alice.post(f"{API}/auth/logout")


async def test_none_comes_out(mallory: Mallory) -> None:
    for way in (by_using_them, by_headers, by_queries, by_bodies, by_sockets):
        await way(mallory)
    process = mallory.process
    said = [
        await xp(process, *words.split(), codes=(0, 1))
        for words in (
            "audit list --limit 0", "audit list --json --limit 0", "audit export -", "audit verify",
            "session list --json", "key list --json", "user show alice@rpotential.ai",
            "user export alice@rpotential.ai -", "config", "doctor", "db info", "user list --json", "config --json",
        )
    ]  # fmt: skip
    stored = {file.name: file.read_bytes() for file in process.data_dir.glob("experience.db*")}
    assert await process.stop() == 0
    stored["closed"] = (process.data_dir / "experience.db").read_bytes()
    places = {
        "the log": process.log.read_bytes(), "xp": "\n".join(said).encode(), "answers": b"\n".join(mallory.refusals),
        **stored,
    }  # fmt: skip
    assert len(mallory.planted) > 40
    assert b"sign_in" in places["answers"], "the audit log was read"
    assert b"POST /api/v1/auth/login" in places["the log"], "requests were logged"
    assert b"$argon2id$" in places["closed"], "the database was read"
    assert not [place for place in ("the log", "xp", "answers") if b"$argon2" in places[place]], "nor a hash of one"
    found = [(secret, place) for secret in mallory.planted for place, text in places.items() if secret.encode() in text]
    assert sorted(found) == []
