"""Signing in at an OpenID provider: a certified one as a real process, and one of ours that misbehaves when told."""

import asyncio
import base64
import gc
import gzip
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from yarl import URL

from actors import limits
from actors.errors import TooLarge, Unauthenticated, Unavailable, XpError
from server.outbound.oidc import Begun, OidcClient, OidcPerson, OidcSettings, metadata, provider
from server.outbound.oidc.person import person_of
from tests.builders import settle, until
from tests.oidc.issuer import Issuer, merged
from tests.oidc.provider import CALLBACK, Browser, running, secret

KEY = b"a key that is only good for tests, and long enough"
RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()
ALGORITHMS = {"RS256": RSA, "ES256": EC, "EdDSA": ED}
UNREACHABLE = "The identity provider cannot be reached; retry in a moment."

Serve = Callable[..., Awaitable[TestServer]]
Connect = Callable[..., OidcClient]


class Clock:
    """Seconds that pass when a test says so, beside those that pass anyway."""

    def __init__(self, read: Callable[[], float]) -> None:
        self._read = read
        self.ahead = 0.0

    def __call__(self) -> float:
        return self._read() + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock(time.time)


@pytest.fixture
def monotonic() -> Clock:
    return Clock(time.monotonic)


@pytest.fixture
async def connect(clock: Clock, monotonic: Clock) -> AsyncIterator[Connect]:
    """Makes clients: `connect(issuer, "app", scopes=("openid",))`."""
    made: list[OidcClient] = []

    def make(issuer: str, client_id: str = "app", client_secret: str | None = None, **more: Any) -> OidcClient:
        known = secret(client_id) if client_secret is None else client_secret
        settings = OidcSettings(issuer, client_id, known, CALLBACK, **more)
        made.append(OidcClient(settings, sealing_key=KEY, clock=clock, monotonic=monotonic))
        return made[-1]

    yield make
    for each in made:
        await each.close()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    jar = aiohttp.CookieJar(unsafe=True)  # also takes cookies of hosts that are addresses
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        yield Browser(session)


@pytest.fixture
async def issuer(aiohttp_server: Serve) -> Issuer:
    found = Issuer()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", found.handle)
    found.url = str((await aiohttp_server(app)).make_url("")).rstrip("/")
    return found


def changed(begun: Begun, **query: str) -> Begun:
    """The same, with another query in the URL."""
    return replace(begun, url=str(URL(begun.url).update_query(query)))


async def refusal(doing: Awaitable[Any], kind: type[XpError] = Unauthenticated) -> str:
    """The sentence with which it is refused, by the usual code of its kind."""
    with pytest.raises(kind) as caught:
        await doing
    assert type(caught.value) is kind
    assert caught.value.code == kind.code
    return caught.value.detail


# At a certified provider


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its issuer."""
    with running(tmp_path_factory.mktemp("oidc") / "provider.log") as issuer:
        yield issuer


@pytest.mark.parametrize(
    ("client_id", "client_secret"),
    [("app", None), ("app with ES256", None), ("app with EdDSA", None), ("public app", "")],
)
async def test_signing_in(
    client_id: str, client_secret: str | None, certified: str, connect: Connect, browser: Browser
) -> None:
    client = connect(certified, client_id, client_secret)
    begun = await client.begin("/threads/7?tab=files")
    person, return_to = await client.finish(await browser.sign_in(begun.url, "ana"), begun.sealed)
    assert person == OidcPerson(
        issuer=certified,
        subject="ana",
        email="ana@corp.example",
        email_verified=True,
        name="Ana Lima",
        picture="https://corp.example/ana.png",
        hosted_domain="",
    )
    assert return_to == "/threads/7?tab=files"


async def test_a_provider_that_wants_the_secret_in_the_form(
    connect: Connect, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    log = tmp_path_factory.mktemp("oidc") / "provider.log"
    with running(log, secrets_by="client_secret_post") as issuer:
        client = connect(issuer)
        begun = await client.begin("/")
        query = await browser.sign_in(begun.url, "ana")
        assert (await client.finish(query, begun.sealed))[0].subject == "ana"
        again = await client.begin("/")
        query = await browser.sign_in(again.url, "ana")
    assert await refusal(client.finish(query, again.sealed), Unavailable) == UNREACHABLE


async def test_an_id_token_with_the_address_makes_userinfo_unnecessary(
    certified: str, connect: Connect, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: Any) -> Mapping[str, Any]:
        raise AssertionError("userinfo was asked")

    monkeypatch.setattr(provider.Provider, "userinfo", never)
    client = connect(certified)
    begun = await client.begin("/")
    claims = json.dumps({"id_token": {"email": None, "email_verified": None}})
    query = await browser.sign_in(changed(begun, claims=claims).url, "ana")
    person, _ = await client.finish(query, begun.sealed)
    assert (person.email, person.email_verified) == ("ana@corp.example", True)


@pytest.mark.parametrize(("login", "email"), [("ben", "ben@corp.example"), ("cleo", "")])
async def test_an_address_that_is_not_verified_or_not_there(
    login: str, email: str, certified: str, connect: Connect, browser: Browser
) -> None:
    client = connect(certified)
    begun = await client.begin("/")
    person, _ = await client.finish(await browser.sign_in(begun.url, login), begun.sealed)
    assert (person.subject, person.email, person.email_verified) == (login, email, False)


async def test_somebody_who_turns_back(certified: str, connect: Connect, browser: Browser) -> None:
    client = connect(certified)
    begun = await client.begin("/")
    query = await browser.turn_back(begun.url)
    assert await refusal(client.finish(query, begun.sealed)) == "The identity provider refused: access_denied."


async def test_a_code_is_good_once(certified: str, connect: Connect, browser: Browser) -> None:
    client = connect(certified)
    begun = await client.begin("/")
    query = await browser.sign_in(begun.url, "ana")
    await client.finish(query, begun.sealed)
    assert await refusal(client.finish(query, begun.sealed)) == "The identity provider refused: invalid_grant."


async def test_the_code_of_another_attempt(certified: str, connect: Connect, browser: Browser) -> None:
    """A stolen code is put into the thief's own attempt: its verifier is another."""
    client = connect(certified)
    stolen, own = await client.begin("/"), await client.begin("/")
    query = await browser.sign_in(stolen.url, "ana")
    query = {**query, "state": URL(own.url).query["state"]}
    assert await refusal(client.finish(query, own.sealed)) == "The identity provider refused: invalid_grant."


async def test_the_nonce_of_another_attempt(certified: str, connect: Connect, browser: Browser) -> None:
    client = connect(certified)
    one, other = await client.begin("/"), await client.begin("/")
    query = await browser.sign_in(changed(one, nonce=URL(other.url).query["nonce"]).url, "ana")
    assert "(`nonce`)" in await refusal(client.finish(query, one.sealed))


async def test_the_answer_to_another_attempt(certified: str, connect: Connect, browser: Browser) -> None:
    client = connect(certified)
    one, other = await client.begin("/"), await client.begin("/")
    query = await browser.sign_in(one.url, "ana")
    for came in (query | {"state": ""}, query | {"state": "\ud800é"}, without(query, "state")):
        assert "(`state`)" in await refusal(client.finish(came, one.sealed))
    assert "(`state`)" in await refusal(client.finish(query, other.sealed))
    assert (await client.finish(query, one.sealed))[0].subject == "ana"


def without(query: Mapping[str, str], name: str) -> dict[str, str]:
    return {each: value for each, value in query.items() if each != name}


async def test_an_answer_says_which_provider_gave_it(certified: str, connect: Connect, browser: Browser) -> None:
    client = connect(certified)
    begun = await client.begin("/")
    query = await browser.sign_in(begun.url, "ana")
    assert query["iss"] == certified
    for came in (query | {"iss": "https://evil.example"}, query | {"iss": ""}, without(query, "iss")):
        assert "(`iss`)" in await refusal(client.finish(came, begun.sealed))


@pytest.mark.parametrize(
    ("client_id", "client_secret", "reason"),
    [
        ("app", "wrong", "refused: invalid_client"),
        ("app with HS256", None, "must have a key id"),
        ("app with signed userinfo", None, "expected a JSON object"),
    ],
)
async def test_what_was_not_agreed_with_the_provider(
    client_id: str, client_secret: str | None, reason: str, certified: str, connect: Connect, browser: Browser,
) -> None:  # fmt: skip
    client = connect(certified, client_id, client_secret)
    begun = await client.begin("/")
    query = await browser.sign_in(begun.url, "ana")
    assert reason in await refusal(client.finish(query, begun.sealed))


async def test_nothing_secret_is_logged_or_shown(
    certified: str, connect: Connect, browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = connect(certified)
    begun = await client.begin("/")
    query = await browser.sign_in(begun.url, "ana")
    await client.finish(query, begun.sealed)
    said = caplog.text + await refusal(client.finish(query, begun.sealed)) + repr(begun) + repr(client)
    said += caplog.text + repr(OidcSettings(certified, "app", secret("app"), CALLBACK))
    for hidden in (query["code"], begun.sealed, secret("app"), "Bearer"):
        assert hidden not in said


# The cookie


async def test_the_sealed_attempt_fits_a_cookie(certified: str, connect: Connect) -> None:
    client = connect(certified)
    longest = "/" * (limits.RETURN_TO_BYTES - 2)
    begun = await client.begin(longest)
    assert len(begun.sealed) <= 3_000
    assert not set(begun.sealed) - set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")
    assert "2048 bytes; got 2049" in await refusal(client.begin(f"{longest}/"), TooLarge)


async def test_whoever_has_no_cookie_has_begun_nothing(certified: str, connect: Connect) -> None:
    client = connect(certified)
    state = URL((await client.begin("/")).url).query["state"]
    for sealed in (None, ""):
        assert "has not started" in await refusal(client.finish({"state": state, "code": "c"}, sealed))


async def test_a_cookie_that_somebody_changed(certified: str, connect: Connect) -> None:
    client = connect(certified)
    begun = await client.begin("/")
    query = {"state": URL(begun.url).query["state"], "code": "c"}
    body, mark = begun.sealed.split(".")
    evil = base64.urlsafe_b64encode(base64.urlsafe_b64decode(f"{body}==").replace(b'"/"', b'"//evil"')).decode()
    for sealed in (
        f"{evil.rstrip('=')}.{mark}", f"{evil}.{mark}", f"{body}.{mark[:-1]}", f"{body}=.{mark}", f"{body}.{mark}=",
        body, f"{body}.", f".{mark}", ".", "é.\ud800", f"{begun.sealed}.", f" {begun.sealed}",
    ):  # fmt: skip
        assert "was changed" in await refusal(client.finish(query, sealed))


async def test_a_cookie_of_another_key_provider_or_client(certified: str, connect: Connect, issuer: Issuer) -> None:
    begun = await connect(certified).begin("/")
    query = {"state": URL(begun.url).query["state"], "code": "c"}
    stranger = OidcClient(OidcSettings(certified, "app", "s", CALLBACK), sealing_key=KEY[::-1])
    for other in (stranger, connect(certified, "public app"), connect(issuer.url)):
        assert "was changed" in await refusal(other.finish(query, begun.sealed))


async def test_an_attempt_lasts_ten_minutes(issuer: Issuer, connect: Connect, clock: Clock) -> None:
    client = connect(issuer.url)
    begun = await client.begin("/")
    clock.ahead += 595
    assert (await client.finish(issuer.answer_to(begun), begun.sealed))[0].subject == "ana"
    clock.ahead += 10
    assert "more than 10 minutes" in await refusal(client.finish(issuer.answer_to(begun), begun.sealed))
    clock.ahead -= 3600
    assert "more than 10 minutes" in await refusal(client.finish(issuer.answer_to(begun), begun.sealed))


# At a provider that does as a test says


async def signed_in(client: OidcClient, issuer: Issuer) -> OidcPerson:
    begun = await client.begin("/")
    return (await client.finish(issuer.answer_to(begun), begun.sealed))[0]


async def test_what_is_sent_to_the_provider(issuer: Issuer, connect: Connect) -> None:
    issuer.claims = {"aud": "my:app"}
    client = connect(issuer.url, "my:app", "s+ :é")
    begun = await client.begin("/")
    sent = URL(begun.url).query
    await client.finish(issuer.answer_to(begun), begun.sealed)
    assert begun.url.startswith(f"{issuer.url}/authorize?")
    assert {**sent, "state": "", "nonce": "", "code_challenge": ""} == {
        "response_type": "code", "client_id": "my:app", "redirect_uri": CALLBACK, "scope": "openid email profile",
        "state": "", "nonce": "", "code_challenge": "", "code_challenge_method": "S256",
    }  # fmt: skip
    assert min(len(sent[name]) for name in ("state", "nonce", "code_challenge")) == 43
    assert issuer.headers["Authorization"] == f"Basic {base64.b64encode(b'my%3Aapp:s%2B+%3A%C3%A9').decode()}"
    assert issuer.form == {
        "grant_type": "authorization_code", "code": "the-code", "redirect_uri": CALLBACK,
        "code_verifier": issuer.form["code_verifier"],
    }  # fmt: skip
    assert issuer.asked == ["openid-configuration", "token", "jwks"]


async def test_a_public_client_brings_no_secret(issuer: Issuer, connect: Connect) -> None:
    issuer.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    await signed_in(connect(issuer.url, client_secret=""), issuer)
    assert issuer.form["client_id"] == "app"
    assert "client_secret" not in issuer.form
    assert "Authorization" not in issuer.headers


@pytest.mark.parametrize(
    ("methods", "in_form"),
    [
        (["client_secret_post"], True),
        (["private_key_jwt", "client_secret_post"], True),
        (["client_secret_post", "client_secret_basic"], False),
        (None, False),
        ("client_secret_post", False),
        ([], False),
    ],
)
async def test_how_the_secret_is_brought(methods: Any, in_form: bool, issuer: Issuer, connect: Connect) -> None:
    issuer.metadata = {"token_endpoint_auth_methods_supported": methods}
    await signed_in(connect(issuer.url, client_secret="s"), issuer)
    assert (issuer.form.get("client_secret") == "s") is in_form
    assert ("Authorization" in issuer.headers) is not in_form


async def test_an_endpoint_may_have_a_query_of_its_own(issuer: Issuer, connect: Connect) -> None:
    issuer.metadata = {"authorization_endpoint": f"{issuer.url}/authorize?tenant=a%26b"}
    begun = await connect(issuer.url).begin("/")
    assert begun.url.startswith(f"{issuer.url}/authorize?tenant=a%26b&response_type=code&")


async def test_a_slash_at_the_end_of_an_issuer_is_a_part_of_it(issuer: Issuer, connect: Connect) -> None:
    assert "`issuer`" in await refusal(connect(f"{issuer.url}/").begin("/"))
    issuer.metadata = {"issuer": f"{issuer.url}/"}
    issuer.claims = {"iss": f"{issuer.url}/"}
    assert (await signed_in(connect(f"{issuer.url}/"), issuer)).issuer == f"{issuer.url}/"


async def test_cookies_of_a_provider_are_not_kept(issuer: Issuer, connect: Connect) -> None:
    document = json.dumps({"error": "later"}).encode()
    issuer.say("token", document, 400, **{"Set-Cookie": "session=ana; Path=/"})
    client = connect(issuer.url)
    await refusal(signed_in(client, issuer))
    del issuer.answers["token"]
    await signed_in(client, issuer)
    assert "Cookie" not in issuer.headers


# What it publishes


async def test_metadata_and_keys_are_fetched_once_in_ten_minutes(
    issuer: Issuer, connect: Connect, monotonic: Clock
) -> None:
    client = connect(issuer.url)
    assert not issuer.asked
    for _ in range(3):
        await signed_in(client, issuer)
    assert sorted(issuer.asked) == ["jwks", "openid-configuration", "token", "token", "token"]
    issuer.asked.clear()
    monotonic.ahead += limits.PROVIDER_METADATA_SECONDS
    await signed_in(client, issuer)
    assert issuer.asked == ["openid-configuration", "token", "jwks"]


async def test_those_who_begin_at_once_share_a_fetch(issuer: Issuer, connect: Connect) -> None:
    gate = gated(issuer, "openid-configuration")
    client = connect(issuer.url)
    beginning = [asyncio.ensure_future(client.begin("/")) for _ in range(20)]
    await until(lambda: issuer.asked)
    beginning[0].cancel()  # one who no longer waits takes nothing from the others
    await settle()
    gate.set()
    assert len({begun.sealed for begun in await asyncio.gather(*beginning[1:])}) == 19
    assert issuer.asked == ["openid-configuration"]


def gated(issuer: Issuer, where: str, *, after: str = "nothing") -> asyncio.Event:
    """Makes an answer wait, before or after its headers, until the event is set."""
    gate, answer = asyncio.Event(), getattr(issuer, f"_{where.replace('-', '_')}")

    async def late(request: web.Request) -> web.StreamResponse:
        if after == "headers":
            response = web.StreamResponse()
            await response.prepare(request)
            await gate.wait()
            return response
        await gate.wait()
        return await answer(request)

    issuer.answers[where] = late
    return gate


async def test_a_failure_that_nobody_waits_for_is_neither_lost_nor_kept(
    issuer: Issuer, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    gate = asyncio.Event()

    async def broken(_: web.Request) -> web.StreamResponse:
        await gate.wait()
        return web.Response(status=500)

    issuer.answers["openid-configuration"] = broken
    client = connect(issuer.url)
    beginning = asyncio.ensure_future(client.begin("/"))
    await until(lambda: issuer.asked)
    beginning.cancel()
    await settle()
    gate.set()
    await until(lambda: "has trouble" in caplog.text)
    await settle()
    del beginning
    gc.collect()  # only now it would be told that nobody took the task's exception
    assert [record.name for record in caplog.records if record.levelno >= logging.WARNING] == ["server.oidc"]
    issuer.answers.clear()
    assert await client.begin("/")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("issuer", "https://evil.example"), ("issuer", None), ("issuer", ["{url}"]),
        *[(name, None) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")],
        *[
            ("token_endpoint", value)
            for value in (
                "", 7, ["{url}/token"], "/token", "http://corp.example/token", "ftp://127.0.0.1/", "{url}/\r\nX: y",
                "{url}/é", "{url}/a b", "{url}/#part", "http://[", "https://", "{url}/" + "x" * 2048,
                "http://169.254.169.254/", "http://127.0.0.1.evil.example/",
            )
        ],
        ("authorization_endpoint", "javascript:alert(1)"), ("jwks_uri", "http://corp.example/jwks"),
        ("userinfo_endpoint", "http://corp.example/userinfo"), ("userinfo_endpoint", 7),
    ],
)  # fmt: skip
async def test_metadata_that_cannot_be_used(name: str, value: Any, issuer: Issuer, connect: Connect) -> None:
    found = json.loads(json.dumps(value).replace("{url}", issuer.url))
    issuer.metadata = {name: found}
    assert f"`{name}`" in await refusal(connect(issuer.url).begin("/"))


def test_endpoints_of_an_https_issuer_are_https() -> None:
    document = {
        "issuer": "https://corp.example",
        "authorization_endpoint": "https://corp.example/authorize",
        "token_endpoint": "https://tokens.corp.example/",
        "jwks_uri": "https://keys.corp.example/",
    }
    assert metadata.read(document, "https://corp.example").userinfo_endpoint is None
    with pytest.raises(ValueError, match="`token_endpoint` is not an https URL"):
        metadata.read({**document, "token_endpoint": "http://127.0.0.1/token"}, "https://corp.example")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_a_new_key_is_looked_for_though_not_all_the_time(
    algorithm: str, issuer: Issuer, connect: Connect
) -> None:
    client = connect(issuer.url)
    await signed_in(client, issuer)
    issuer.key, issuer.algorithm, issuer.kid = ALGORITHMS[algorithm], algorithm, "new"
    assert (await signed_in(client, issuer)).subject == "ana", "taken at once"
    assert issuer.asked.count("jwks") == 2

    issuer.header = {"kid": "made up"}
    assert "not among the identity provider's keys" in await refusal(signed_in(client, issuer))
    assert await refusal(signed_in(client, issuer), Unavailable) == UNREACHABLE
    assert issuer.asked.count("jwks") == 3


# ID tokens


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"iss": "https://evil.example"}, "another issuer"),
        ({"iss": None}, "another issuer"),
        ({"aud": "another"}, "(`aud`)"),
        ({"aud": None}, "(`aud`)"),
        ({"aud": []}, "(`aud`)"),
        ({"aud": {"app": 1}}, "(`aud`)"),
        ({"aud": ["app", "another"]}, "(`azp`)"),
        ({"aud": ["app", "another"], "azp": "another"}, "(`azp`)"),
        ({"azp": "another"}, "(`azp`)"),
        ({"exp": None}, "`exp`"),
        ({"exp": "soon"}, "`exp`"),
        ({"exp": 1_000_000}, "has expired"),
        ({"iat": None}, "`iat`"),
        ({"iat": True}, "`iat`"),
        ({"iat": 2**52}, "(`iat`)"),
        ({"nbf": 2**52}, "(`nbf`)"),
        ({"nonce": None}, "(`nonce`)"),
        ({"nonce": "another"}, "(`nonce`)"),
        ({"nonce": ["another"]}, "(`nonce`)"),
        ({"nonce": "\ud800"}, "(`nonce`)"),
        ({"sub": None}, "`sub`"),
        ({"sub": ""}, "`sub`"),
        ({"sub": "x" * 256}, "`sub`"),
        ({"sub": "a\nb"}, "`sub`"),
    ],
)
async def test_claims_that_are_not_for_us(
    claims: dict[str, Any], reason: str, issuer: Issuer, connect: Connect
) -> None:
    issuer.claims = claims
    assert reason in await refusal(signed_in(connect(issuer.url), issuer))


@pytest.mark.parametrize("claims", [{"aud": ["app"]}, {"aud": ["another", "app"], "azp": "app"}, {"azp": "app"}])
async def test_audiences_that_are_ours(claims: dict[str, Any], issuer: Issuer, connect: Connect) -> None:
    issuer.claims = claims
    assert (await signed_in(connect(issuer.url), issuer)).subject == "ana"


async def test_clocks_may_differ_a_little(issuer: Issuer, connect: Connect, clock: Clock) -> None:
    clock.ahead = -25
    await signed_in(connect(issuer.url), issuer)
    clock.ahead = -40
    assert "(`iat`)" in await refusal(signed_in(connect(issuer.url), issuer))
    clock.ahead = 3600 + 25
    await signed_in(connect(issuer.url), issuer)
    clock.ahead = 3600 + 40
    assert "has expired" in await refusal(signed_in(connect(issuer.url), issuer))


async def test_a_signature_of_somebody_else(issuer: Issuer, connect: Connect) -> None:
    client = connect(issuer.url)
    await signed_in(client, issuer)
    issuer.key = rsa.generate_private_key(65537, 2048)
    assert "signature" in await refusal(signed_in(client, issuer))


async def test_the_key_decides_the_algorithm(issuer: Issuer, connect: Connect) -> None:
    client = connect(issuer.url)
    await signed_in(client, issuer)
    for algorithm, key in [("ES256", EC), ("EdDSA", ED), ("RS512", RSA), ("PS256", RSA), ("HS256", b"s" * 32)]:
        issuer.algorithm, issuer.key = algorithm, key
        assert "signature" in await refusal(signed_in(client, issuer))
    assert issuer.asked.count("jwks") == 1


async def test_tokens_that_are_none(issuer: Issuer, connect: Connect) -> None:
    client = connect(issuer.url)
    await signed_in(client, issuer)
    head, body, mark = issuer.id_token().split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none","kid":"k"}').rstrip(b"=").decode()
    for token in ("", "x", "a.b.c", f"{none}.{body}.", f"{none}.{body}", f"{none}.{body}.{mark}", f"{head}.{body}.",
                  f"{head}.{body}.AAAA", "é.é.é", f"{head}.{body}.{mark}" + "A" * 10_000):  # fmt: skip
        issuer.token = {"id_token": token}
        await refusal(signed_in(client, issuer))
    issuer.token, issuer.header = {}, {"kid": None}
    assert "(`kid`)" in await refusal(signed_in(client, issuer))
    issuer.header = {"jwk": {"kty": "oct", "k": "AAAA"}}
    assert "its own key" in await refusal(signed_in(client, issuer))


@pytest.mark.parametrize(
    "answer",
    [{"id_token": None}, {"id_token": 7}, {"access_token": None}, {"access_token": ["at"]}, {"id_token": {"a": 1}}],
)
async def test_an_answer_without_its_tokens(answer: dict[str, Any], issuer: Issuer, connect: Connect) -> None:
    issuer.token = answer
    assert "expected an `id_token` and an `access_token`" in await refusal(signed_in(connect(issuer.url), issuer))


# Who it is


async def test_userinfo_fills_in_what_the_id_token_lacks(issuer: Issuer, connect: Connect) -> None:
    issuer.claims = {"email": None, "name": "Ana by her token"}
    issuer.userinfo = {"name": "Ana", "picture": "https://home.example/a.png", "hd": "evil.example"}
    person = await signed_in(connect(issuer.url), issuer)
    assert (person.email, person.email_verified) == ("ana@home.example", False)  # verified was said of no address
    assert (person.name, person.picture) == ("Ana by her token", "https://home.example/a.png")
    assert person.hosted_domain == ""


async def test_userinfo_about_somebody_else(issuer: Issuer, connect: Connect) -> None:
    client = connect(issuer.url)
    for subject in ("eve", None, ["ana"]):
        issuer.claims, issuer.userinfo = {"email": None}, {"sub": subject}
        assert "(`sub`)" in await refusal(signed_in(client, issuer))


async def test_a_provider_without_userinfo(issuer: Issuer, connect: Connect) -> None:
    issuer.claims, issuer.metadata = {"email": None}, {"userinfo_endpoint": None}
    assert (await signed_in(connect(issuer.url), issuer)).email == ""


@pytest.mark.parametrize("token", ["", "a b", "a\r\nX-Evil: 1", "é", "x" * 20_000])
async def test_an_access_token_that_no_header_can_carry(token: str, issuer: Issuer, connect: Connect) -> None:
    issuer.claims, issuer.token = {"email": None}, {"access_token": token}
    assert "a header" in await refusal(signed_in(connect(issuer.url), issuer))
    assert "userinfo" not in issuer.asked


@pytest.mark.parametrize(
    ("said", "is_verified"),
    [
        (True, True),
        ("true", True),
        (False, False),
        ("false", False),
        (None, False),
        (1, False),
        ("yes", False),
        ("True", False),
        ([True], False),
        ({"a": 1}, False),
        ("", False),
    ],
)
def test_an_address_is_verified_when_the_provider_says_so(said: Any, is_verified: bool) -> None:
    found = person_of("i", {"sub": "ana", "email": "ana@corp.example", "email_verified": said}, {})
    assert found.email_verified is is_verified


def test_no_address_is_verified_where_there_is_none() -> None:
    assert not person_of("i", {"sub": "ana", "email_verified": True}, {}).email_verified
    assert not person_of("i", {"sub": "ana", "email": "x" * 255, "email_verified": True}, {}).email_verified


@pytest.mark.parametrize(
    ("claim", "value", "taken"),
    [
        ("email", "a\nb@corp.example", ""),
        ("email", ["a@corp.example"], ""),
        ("name", "山田　太郎", "山田 太郎"),
        ("name", " Ana\n\x00\ud800Lima ", "Ana Lima"),
        ("name", "x" * 500, "x" * 200),
        ("name", {"given": "Ana"}, ""),
        ("picture", "javascript:alert(1)", None),
        ("picture", "https://corp.example/" + "x" * 2048, None),
        ("picture", 7, None),
        ("picture", "https://corp.example/a.png", "https://corp.example/a.png"),
        ("hd", "corp.example", "corp.example"),
        ("hd", 7, ""),
        ("hd", "x" * 256, ""),
    ],
)
def test_odd_claims_are_no_refusal(claim: str, value: Any, taken: Any) -> None:
    found = person_of("https://accounts.google.com", {"sub": "ana", claim: value}, {})
    assert getattr(found, {"hd": "hosted_domain"}.get(claim, claim)) == taken


@pytest.mark.parametrize("issuer", ["https://login.example.com", "https://accounts.google.com.evil.example", "i"])
def test_a_hosted_domain_is_googles_to_say(issuer: str) -> None:
    claims = {"sub": "ana", "hd": "corp.example"}
    assert person_of(issuer, claims, {}).hosted_domain == ""
    assert person_of("https://accounts.google.com", claims, {}).hosted_domain == "corp.example"


@pytest.mark.parametrize("trusts", [True, False])
def test_an_address_of_which_nothing_is_said(trusts: bool) -> None:
    """Entra ID's tokens have no `email_verified`: whether its addresses are trusted is the operator's to say."""
    said = {"sub": "ana", "email": "ana@corp.example"}
    assert person_of("i", said, {}, trusts_addresses=trusts).email_verified is trusts
    assert not person_of("i", {**said, "email_verified": "false"}, {}, trusts_addresses=trusts).email_verified
    assert not person_of("i", said, {**said, "email_verified": False}, trusts_addresses=trusts).email_verified


def test_userinfo_speaks_for_the_address_that_it_names() -> None:
    said = {"sub": "ana", "email": "Ana@corp.example"}
    assert person_of("i", said, {"email": "ana@corp.example", "email_verified": True}).email_verified
    assert not person_of("i", said, {"email": "eve@corp.example", "email_verified": True}).email_verified
    assert not person_of("i", said, {"email_verified": True}).email_verified


# The answer by way of the browser


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        ("access_denied", "access_denied"),
        ("<script>alert(1)</script>", "no usable error code"),
        ("x" * 65, "no usable error code"),
        ("a\nb", "no usable error code"),
        ("", "no usable error code"),
    ],
)
async def test_an_error_is_shown_by_its_code_only(error: str, shown: str, issuer: Issuer, connect: Connect) -> None:
    client = connect(issuer.url)
    begun = await client.begin("/")
    query = issuer.answer_to(begun) | {"error": error, "error_description": "Call 555-0100 to unlock"}
    assert await refusal(client.finish(query, begun.sealed)) == f"The identity provider refused: {shown}."
    assert "token" not in issuer.asked


@pytest.mark.parametrize("code", [None, "", "é", "\ud800", "a\r\nb", "x" * 5_000])
async def test_an_answer_without_a_usable_code(code: str | None, issuer: Issuer, connect: Connect) -> None:
    client = connect(issuer.url)
    begun = await client.begin("/")
    query = merged(issuer.answer_to(begun), {}) | ({} if code is None else {"code": code})
    if code is None:
        del query["code"]
    assert "`code`" in await refusal(client.finish(query, begun.sealed))
    assert "token" not in issuer.asked


async def test_the_issuer_in_an_answer_is_looked_at_even_where_it_is_not_promised(
    issuer: Issuer, connect: Connect
) -> None:
    client = connect(issuer.url)
    begun = await client.begin("/")
    query = issuer.answer_to(begun)
    assert "(`iss`)" in await refusal(client.finish(query | {"iss": "https://evil.example"}, begun.sealed))
    assert (await client.finish(query | {"iss": issuer.url}, begun.sealed))[0].subject == "ana"


# A provider on a bad day

ENDPOINTS = ["openid-configuration", "token", "jwks", "userinfo"]


@pytest.fixture
def needing_all(issuer: Issuer) -> Issuer:
    """To sign in, every endpoint is asked."""
    issuer.claims = {"email": None}
    return issuer


@pytest.mark.parametrize("where", ENDPOINTS)
@pytest.mark.parametrize(
    ("body", "status", "headers"),
    [
        (b"", 200, {}),
        (b"<html>", 200, {}),
        (b"\xff\xfe", 200, {}),
        (b"[]", 200, {}),
        (b"null", 200, {}),
        (b"{}", 200, {}),
        (b"[" * 100_000, 200, {}),
        (b"{}", 404, {}),
        (b'{"error": "<b>"}', 400, {}),
        (b"", 302, {"Location": "/elsewhere"}),
        (b"", 307, {"Location": "/elsewhere"}),
    ],
    ids=lambda value: repr(value)[:20],
)
async def test_answers_that_are_garbage(
    body: bytes, status: int, headers: dict[str, str], where: str, needing_all: Issuer, connect: Connect,
) -> None:  # fmt: skip
    needing_all.say(where, body, status, **headers)
    await refusal(signed_in(connect(needing_all.url), needing_all), refused_at(where))
    assert "elsewhere" not in needing_all.asked


def refused_at(where: str) -> type[XpError]:
    """Keys are fetched by one who only says whether it worked: without keys nobody can be judged, now."""
    return Unavailable if where == "jwks" else Unauthenticated


@pytest.mark.parametrize("where", ENDPOINTS)
@pytest.mark.parametrize("zipped", [False, True])
async def test_answers_that_are_too_large(zipped: bool, where: str, needing_all: Issuer, connect: Connect) -> None:
    document = json.dumps({"x": "x" * 4 * limits.JWKS_BYTES}).encode()
    body, headers = (gzip.compress(document), {"Content-Encoding": "gzip"}) if zipped else (document, {})
    needing_all.say(where, body, **headers)
    sentence = await refusal(signed_in(connect(needing_all.url), needing_all), refused_at(where))
    assert where == "jwks" or f"more than {limits.PROVIDER_BYTES} bytes" in sentence


@pytest.mark.parametrize("where", ENDPOINTS)
async def test_endless_answers_end(where: str, needing_all: Issuer, connect: Connect) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while request.transport is not None and not request.transport.is_closing():
            try:
                await response.write(b" " * 65_536)
            except ConnectionError:
                break
        return response

    needing_all.answers[where] = endless
    await refusal(signed_in(connect(needing_all.url), needing_all), refused_at(where))


@pytest.mark.parametrize("where", ENDPOINTS)
@pytest.mark.parametrize("after", ["nothing", "headers"])
async def test_answers_that_do_not_come(
    after: str, where: str, needing_all: Issuer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = gated(needing_all, where, after=after)
    monkeypatch.setattr(limits, "JWKS_SECONDS", 0.05)
    monkeypatch.setattr(limits, "PROVIDER_SECONDS", 0.05)
    try:
        assert await refusal(signed_in(connect(needing_all.url), needing_all), Unavailable) == UNREACHABLE
    finally:
        gate.set()


@pytest.mark.parametrize("where", ENDPOINTS)
@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_provider_with_trouble_of_its_own(
    status: int, where: str, needing_all: Issuer, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    needing_all.say(where, b"<html>" * 100_000, status)
    assert await refusal(signed_in(connect(needing_all.url), needing_all), Unavailable) == UNREACHABLE
    assert str(status) in caplog.text


@pytest.mark.parametrize("where", ENDPOINTS)
async def test_answers_that_break_off(where: str, needing_all: Issuer, connect: Connect) -> None:
    async def broken(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"{")
        assert request.transport is not None
        request.transport.abort()
        return response

    needing_all.answers[where] = broken
    assert await refusal(signed_in(connect(needing_all.url), needing_all), Unavailable) == UNREACHABLE


@pytest.mark.parametrize("host", ["http://127.0.0.1:9", "https://127.0.0.1:9", "https://a..b", "https://" + "a" * 64])
async def test_nobody_there(host: str, connect: Connect, issuer: Issuer) -> None:
    assert await refusal(connect(host).begin("/"), Unavailable) == UNREACHABLE
    issuer.metadata = {"token_endpoint": f"{host}/token"}
    assert await refusal(signed_in(connect(issuer.url), issuer), Unavailable) == UNREACHABLE


# Starting and stopping


@pytest.mark.parametrize("where", ENDPOINTS)
async def test_closing_answers_those_who_wait(where: str, needing_all: Issuer, connect: Connect) -> None:
    gate = gated(needing_all, where)
    client = connect(needing_all.url)
    waiting = asyncio.ensure_future(signed_in(client, needing_all))
    await until(lambda: where in needing_all.asked)
    await client.close()
    assert await refusal(waiting, Unavailable) == UNREACHABLE
    gate.set()
    await client.close()


async def test_a_closed_client_asks_nobody(issuer: Issuer, connect: Connect) -> None:
    client = connect(issuer.url)
    await client.close()
    assert await refusal(client.begin("/"), Unavailable) == UNREACHABLE
    assert not issuer.asked


@pytest.mark.parametrize(
    "issuer_url",
    [
        "", "corp.example", "http://corp.example", "http://10.0.0.1", "http://127.0.0.1.evil.example", "ftp://127.0.0.1",
        "https://", "https://corp.example?a=b", "https://corp.example/#a", "http://0.0.0.0", "//127.0.0.1",
    ],
)  # fmt: skip
def test_an_issuer_that_others_could_tamper_with_is_refused(issuer_url: str) -> None:
    with pytest.raises(ValueError, match="the issuer must be https"):
        OidcSettings(issuer_url, "app", "s", CALLBACK)


@pytest.mark.parametrize("issuer_url", ["https://corp.example/a/", "http://localhost:8080", "http://[::1]:8080"])
def test_an_issuer_that_is_safe_is_taken(issuer_url: str) -> None:
    assert "hidden" not in repr(OidcSettings(issuer_url, "app", "hidden", CALLBACK))


def test_settings_that_cannot_work() -> None:
    with pytest.raises(ValueError, match="client id"):
        OidcSettings("https://corp.example", "", "s", CALLBACK)
    with pytest.raises(ValueError, match="`openid`"):
        OidcSettings("https://corp.example", "app", "s", CALLBACK, scopes=("email",))
    with pytest.raises(ValueError, match="at least 32 bytes"):
        OidcClient(OidcSettings("https://corp.example", "app", "s", CALLBACK), sealing_key=b"short")
