"""Signing in: by password, by a link; what a browser keeps of it; and what a guesser learns, which is nothing."""

import base64
from collections.abc import Callable
from http.cookies import Morsel, SimpleCookie
from pathlib import Path
from typing import Any

import argon2
import orjson
import pytest

from actors import limits
from server.auth.issued_secrets import hash_of
from tests.server.operations.signing_in import PASSWORD, Device, device_of, new_link, nobody, sign_in, sql
from tests.server.operations.sweep.requests import check_problem
from tests.serving import Answer, Client, Server, serving

LOGIN, REFRESH, LOGOUT = "/api/v1/auth/login", "/api/v1/auth/refresh", "/api/v1/auth/logout"


@pytest.fixture
async def her(alice: Client) -> str:
    return str((await alice.me())["id"])


@pytest.fixture
async def known(server: Server, root: Client, her: str) -> Device:
    """Alice, who has a password."""
    return await sign_in(server, root, her, new_password=PASSWORD)


async def login(server: Server, **body: Any) -> Answer:
    return await nobody(server).post(LOGIN, **body)


async def test_by_password(server: Server, known: Device, her: str) -> None:
    answer = await login(server, email="Alice@RPotential.ai", password=PASSWORD)
    told = answer.data
    assert told == {
        "user": told["user"], "session_id": told["session_id"], "token_type": "Bearer",
        "expires_in": limits.ACCESS_TOKEN_SECONDS, "access_token": told["access_token"],
        "refresh_token": told["refresh_token"],
    }  # fmt: skip
    assert (told["user"]["id"], told["user"]["email"]) == (her, "alice@rpotential.ai")
    device = device_of(server, answer)
    verified = (await device.client.get("/api/v1/auth/verify")).data
    assert (verified["credential"], verified["session_id"]) == ("session", told["session_id"])
    assert [session["method"] for session in (await device.client.get("/api/v1/auth/sessions")).data] == [
        "TOKEN", "PASSWORD", "LINK",
    ]  # fmt: skip


async def test_what_an_access_token_says_is_for_reading(known: Device, root: Client, her: str) -> None:
    """Claims are those of the first system; what one may do stands with the user, and holds at once."""
    claims = orjson.loads(base64.urlsafe_b64decode(known.client.token.split(".")[1] + "=="))
    assert claims["exp"] - claims["iat"] == limits.ACCESS_TOKEN_SECONDS == 900
    assert (claims["sid"], claims["role"], claims["domain"]) == (known.session_id, "USER", "rpotential.ai")
    assert (await known.client.get("/api/v1/admin/summary")).status == 403
    await root.patch(f"/api/v1/users/{her}", role="ADMIN")
    assert (await known.client.get("/api/v1/admin/summary")).status == 200


@pytest.mark.parametrize(
    "body",
    [
        {}, {"email": "a@b.de"}, {"password": PASSWORD}, {"link": "xpl_x", "password": PASSWORD},
        {"link": "xpl_x", "email": "a@b.de"}, {"email": "a@b.de", "password": PASSWORD, "new_password": PASSWORD},
        {"link": "xpl_x", "new_password": "too short"}, {"link": "xpl_x", "new_password": "x" * 1025},
        {"link": ""}, {"email": "a@b.de", "password": 5}, {"email": "a@b.de", "password": None},
    ],
)  # fmt: skip
async def test_what_is_no_way_in(server: Server, body: dict[str, Any]) -> None:
    check_problem(await login(server, **body), 400)


# What a guesser learns


class Hasher:
    """Counts what argon2 is asked to check; it checks all the same."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.checked: list[str] = []
        verify = argon2.PasswordHasher.verify

        def counting(hasher: argon2.PasswordHasher, known: Any, password: Any) -> Any:
            self.checked.append(known.rpartition("$")[0].rpartition("$")[0])
            return verify(hasher, known, password)

        monkeypatch.setattr(argon2.PasswordHasher, "verify", counting)


@pytest.mark.usefixtures("full_cost")
async def test_everybody_who_may_not_is_told_the_same_after_the_same_work(
    server: Server, known: Device, bob: Client, root: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = await root.post("/api/v1/users", email="out@rpotential.ai", name="Out")
    await sign_in(server, root, out.data["id"], new_password=PASSWORD)
    await root.patch(f"/api/v1/users/{out.data['id']}", status="DEACTIVATED")
    for name in ("one", "two"):
        made = await root.post("/api/v1/users", email=f"{name}@rpotential.ai", name=name)
        await sign_in(server, root, made.data["id"], new_password=PASSWORD)
    shared = "email = 'shared@rpotential.ai', shares_email = 1"
    sql(tmp_path / "data", f"UPDATE user SET {shared} WHERE name IN ('one', 'two')")
    hasher = Hasher(monkeypatch)
    seen = set()
    for email, password in (
        ("alice@rpotential.ai", "not the right one"), ("alice@rpotential.ai", ""), ("nobody@rpotential.ai", PASSWORD),
        ("bob@rpotential.ai", PASSWORD), ("out@rpotential.ai", PASSWORD), ("shared@rpotential.ai", PASSWORD),
    ):  # fmt: skip
        error = check_problem(await login(server, email=email, password=password), 401)
        seen.add(
            orjson.dumps(
                {name: error[name] for name in error if name not in ("timestamp", "trace_id", "correlation_id")}
            )
        )
    assert len(seen) == 1
    assert len(hasher.checked) == 6
    assert len(set(hasher.checked)) == 1, "by the same parameters"


async def test_more_at_once_than_are_checked_are_told_to_wait(
    server: Server, known: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PASSWORDS_WAITING", 0)
    turns = server.services.sign_ins.passwords._turns
    for _ in range(limits.PASSWORDS_AT_ONCE):
        await turns.begin("203.0.113.5")
    answer = await login(server, email="alice@rpotential.ai", password=PASSWORD)
    assert check_problem(answer, 503)["retryable"]
    assert "Retry-After" in answer.headers


async def test_a_domain_that_is_not_allowed_any_more(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with serving(data) as server:
        root = server.client("root", role="ADMIN")
        device = await sign_in(
            server, root, (await server.client("alice").me())["id"], new_password=PASSWORD
        )  # fmt: skip
    async with serving(data, ALLOWED_DOMAINS="globant.com") as server:
        device.client = nobody(server)
        answers = [await login(server, email="alice@rpotential.ai", password=PASSWORD), await device.refresh()]
        assert [check_problem(answer, 403)["code"] for answer in answers] == ["domain_not_allowed"] * 2


# Links


async def test_a_link_is_good_once(server: Server, root: Client, her: str) -> None:
    link = await new_link(root, her)
    assert (await login(server, link=link)).status == 200
    again = check_problem(await login(server, link=link), 401)
    assert check_problem(await login(server, link="xpl_" + "x" * 43), 401)["detail"] == again["detail"]
    assert check_problem(await login(server, link=link, new_password=PASSWORD), 401)
    assert check_problem(await login(server, email="alice@rpotential.ai", password=PASSWORD), 401)


async def test_a_link_lasts_a_day(server: Server, root: Client, her: str, tmp_path: Path) -> None:
    link = await new_link(root, her)
    ((made, until),) = sql(tmp_path / "data", "SELECT created_at, expires_at FROM sign_in_link")
    assert abs(until - made - 24 * 3600 * 1000) < 1000
    sql(tmp_path / "data", "UPDATE sign_in_link SET expires_at = created_at")
    check_problem(await login(server, link=link), 401)


async def test_a_link_dies_with_its_user(server: Server, root: Client, her: str) -> None:
    link = await new_link(root, her)
    path = f"/api/v1/users/{her}"
    await root.patch(path, status="DEACTIVATED")
    check_problem(await login(server, link=link), 401)
    check_problem(await root.post(f"/api/v1/admin{path.removeprefix('/api/v1')}/sign-in-link"), 409)
    await root.patch(path, status="ACTIVE")
    check_problem(await login(server, link=link), 401)
    assert (await login(server, link=await new_link(root, her))).status == 200


ENDING: dict[str, Callable[[Client, Device], Any]] = {
    "another password": lambda root, own: own.client.post("/api/v1/auth/password", current_password=PASSWORD,
                                                          new_password="another password"),
    "another link that set one": lambda root, own: following(root, own, new_password="another password"),
    "all other sessions ended": lambda root, own: own.client.delete("/api/v1/auth/sessions"),
    "another role": lambda root, own: patched(root, own, role="ADMIN"),
    "another address": lambda root, own: patched(root, own, email="other@rpotential.ai"),
    "out": lambda root, own: patched(root, own, status="DEACTIVATED"),
}  # fmt: skip
LEAVING: dict[str, Callable[[Client, Device], Any]] = {
    "another name": lambda root, own: patched(root, own, name="Anna"),
    "another link": lambda root, own: following(root, own),
    "one session ended": lambda root, own: own.client.post("/api/v1/auth/logout"),
}


async def patched(root: Client, own: Device, **fields: str) -> Answer:
    user_id = (await own.client.me())["id"]
    return await root.patch(f"/api/v1/users/{user_id}", **fields)


async def following(root: Client, own: Device, **more: str) -> Answer:
    return await own.client.post(LOGIN, link=await new_link(root, (await own.client.me())["id"]), **more)


@pytest.mark.parametrize("change", [*ENDING, *LEAVING])
async def test_a_link_ends_with_what_it_was_made_for(
    change: str, server: Server, root: Client, known: Device, her: str
) -> None:
    """A thief of one does not get in by it after the owner has changed the locks."""
    link = await new_link(root, her)
    assert (await {**ENDING, **LEAVING}[change](root, known)).status == 200
    await root.patch(f"/api/v1/users/{her}", status="ACTIVE")
    assert (await login(server, link=link)).status == (401 if change in ENDING else 200)


async def test_a_token_that_says_another_address_ends_links(server: Server, root: Client, her: str) -> None:
    link = await new_link(root, her)
    await server.client("alice", email="anna@rpotential.ai").me()
    check_problem(await login(server, link=link), 401)


async def test_a_link_that_sets_a_password_ends_sessions(server: Server, root: Client, known: Device, her: str) -> None:
    assert (await login(server, link=await new_link(root, her), new_password="another password")).status == 200
    assert await known.status() == 401


async def test_who_makes_links(root: Client, alice: Client, bob: Client, her: str) -> None:
    for client in (alice, bob):
        assert (await client.post(f"/api/v1/admin/users/{her}/sign-in-link")).status == 403
    headers = {"Idempotency-Key": "again"}
    path = f"/api/v1/admin/users/{her}/sign-in-link"
    one, two = [(await root.post(path, headers)).data["link"] for _ in range(2)]
    assert one != two, "a secret that is shown once is stored nowhere, so a retry makes another"


# Cookies


def cookies(answer: Answer) -> dict[str, Morsel[str]]:
    found: SimpleCookie = SimpleCookie()
    for line in answer.headers.getall("Set-Cookie", []):  # type: ignore[attr-defined]  # of aiohttp
        found.load(line)
    return dict(found)


async def test_what_a_browser_keeps(server: Server, known: Device, root: Client, her: str) -> None:
    answer = await login(server, link=await new_link(root, her), cookies_only=True)
    assert (answer.data["access_token"], answer.data["refresh_token"]) == (None, None), "no script ever sees a token"
    kept = cookies(answer)
    assert kept.keys() == {"rpotential_auth", "rpotential_auth_refresh"}
    for cookie in kept.values():
        assert (cookie["httponly"], cookie["secure"], cookie["samesite"]) == (True, True, "Lax")
        assert not cookie["domain"]
    access, refresh = kept["rpotential_auth"], kept["rpotential_auth_refresh"]
    assert (access["path"], access["max-age"]) == ("/", str(limits.ACCESS_TOKEN_SECONDS))
    assert (refresh["path"], refresh["max-age"]) == (REFRESH, str(limits.SESSION_SECONDS))
    assert answer.headers["Cache-Control"] == "no-store"


async def send(server: Server, method: str, path: str, kept: dict[str, Morsel[str]], origin: str | None) -> Answer:
    """As a browser does."""
    headers = {"Cookie": "; ".join(f"{name}={cookie.value}" for name, cookie in kept.items())}
    headers |= {} if origin is None else {"Origin": origin}
    body: Any = {} if method == "POST" else None
    async with server.session.request(method, server.url + path, headers=headers, json=body) as response:
        return Answer(response.status, response.headers, await response.read())


async def test_a_browsers_whole_visit(server: Server, root: Client, her: str) -> None:
    kept = cookies(await login(server, link=await new_link(root, her), cookies_only=True))
    assert (await send(server, "GET", "/api/v1/auth/me", kept, None)).data["id"] == her
    for elsewhere in ("null", "https://evil.example"):
        for path in (REFRESH, LOGOUT):
            error = check_problem(await send(server, "POST", path, kept, elsewhere), 403)
            assert error["code"] == "origin_not_allowed"
    refreshed = await send(server, "POST", REFRESH, kept, server.url)
    assert (refreshed.data["access_token"], refreshed.data["refresh_token"]) == (None, None)
    new = cookies(refreshed)
    assert new["rpotential_auth_refresh"].value != kept["rpotential_auth_refresh"].value
    gone = await send(server, "POST", LOGOUT, new, server.url)
    assert gone.data == {"signed_out": True}
    for name, cookie in cookies(gone).items():
        assert (cookie.value, cookie["max-age"], cookie["path"]) == ("", "0", new[name]["path"])
        assert (cookie["httponly"], cookie["secure"], cookie["samesite"]) == (True, True, "Lax")
    assert cookies(gone).keys() == new.keys()
    for old in (kept, new):
        assert (await send(server, "GET", "/api/v1/auth/me", old, None)).status == 401
    check_problem(await send(server, "POST", REFRESH, new, server.url), 401)
    check_problem(await send(server, "POST", REFRESH, {}, server.url), 401)


async def test_cookies_over_plain_http_and_by_another_name(tmp_path: Path) -> None:
    async with serving(tmp_path / "data", COOKIE_SECURE="off", AUTH_COOKIE="session") as server:
        root = server.client("root", role="ADMIN")
        kept = cookies(await login(server, link=await new_link(root, (await root.me())["id"])))
    assert kept.keys() == {"session", "session_refresh"}
    assert [(cookie["secure"], cookie["httponly"]) for cookie in kept.values()] == [("", True)] * 2


# What is kept of it


@pytest.mark.usefixtures("full_cost")
async def test_only_hashes_are_stored(server: Server, known: Device, root: Client, her: str, tmp_path: Path) -> None:
    unused = await new_link(root, her)
    assert (await known.refresh()).status == 200
    stored = b"".join(file.read_bytes() for file in (tmp_path / "data").rglob("*") if file.is_file())
    assert hash_of(unused) in stored, "the hash is there"
    assert b"$argon2id$v=19$m=65536,t=3,p=4$" in stored
    for secret in (PASSWORD, unused, known.refresh_token, known.client.token):
        assert secret.encode() not in stored
