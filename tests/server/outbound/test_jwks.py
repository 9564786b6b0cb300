"""The issuer's keys, fetched from a real server on loopback: rotation, rate limits, and issuers on a bad day."""

import asyncio
import gzip
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import jwt
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

from actors import limits
from actors.errors import Unauthenticated
from actors.ports import KeyRefresher
from server.auth.tokens import KeySet, TokenRules, TokenVerifier
from server.outbound import jwks
from server.outbound.jwks import JwksRefresher, usable_keys
from tests.builders import settle, until

RSA = rsa.generate_private_key(65537, 2048)
WEAK_RSA = rsa.generate_private_key(65537, 1024)
EC = ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
Serve = Callable[..., Awaitable[TestServer]]


def public(key: Any, algorithm: str, kid: Any = "k", **more: Any) -> dict[str, Any]:
    """A public key as an issuer publishes it."""
    return {**jwt.get_algorithm_by_name(algorithm).to_jwk(key.public_key(), as_dict=True), "kid": kid, **more}


def signed(key: Any, algorithm: str, kid: str) -> str:
    claims = {"sub": "ana", "email": "ana@corp.com", "exp": int(time.time()) + 60}
    return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": kid})


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Issuer:
    """Publishes `keys`, or whatever `answer` makes of a request; counts the requests."""

    def __init__(self) -> None:
        self.keys: list[Any] = []
        self.requests = 0
        self.answer: Answer = self.publish
        self.url = ""

    async def publish(self, _: web.Request) -> web.StreamResponse:
        return web.json_response({"keys": self.keys})

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests += 1
        return await self.answer(request)

    def say(self, body: bytes, status: int = 200, **headers: str) -> None:
        async def answer(_: web.Request) -> web.StreamResponse:
            return web.Response(body=body, status=status, headers=headers)

        self.answer = answer


@pytest.fixture
async def issuer(aiohttp_server: Serve) -> Issuer:
    found = Issuer()
    app = web.Application()
    app.router.add_get("/keys", found.handle)
    server = await aiohttp_server(app)
    found.url = str(server.make_url("/keys"))
    return found


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys() -> KeySet:
    return KeySet()


@pytest.fixture
async def refresher(issuer: Issuer, keys: KeySet, clock: Clock) -> AsyncIterator[JwksRefresher]:
    made = JwksRefresher(issuer.url, keys, clock=clock)
    yield made
    await made.close()


def verifier(keys: KeySet) -> TokenVerifier:
    return TokenVerifier(TokenRules(allowed_domains=("corp.com",), keys=keys))


# Fetching


async def test_keys_are_fetched_at_the_start(issuer: Issuer, keys: KeySet, refresher: JwksRefresher) -> None:
    issuer.keys = [public(RSA, "RS256", "rsa"), public(EC, "ES256", "ec"), public(ED, "EdDSA", "ed")]
    await refresher.start()
    assert issuer.requests == 1
    for key, algorithm, kid in [(RSA, "RS256", "rsa"), (EC, "ES256", "ec"), (ED, "EdDSA", "ed")]:
        assert verifier(keys).verify(signed(key, algorithm, kid), time.time()).sub == "ana"


async def test_a_new_key_is_found_and_the_old_one_goes(
    issuer: Issuer, keys: KeySet, refresher: JwksRefresher, clock: Clock
) -> None:
    port: KeyRefresher = refresher
    issuer.keys = [public(RSA, "RS256", "old")]
    await refresher.start()
    verify = verifier(keys).verify
    old, new = signed(RSA, "RS256", "old"), signed(EC, "ES256", "new")
    assert verify(old, time.time()).sub == "ana"
    with pytest.raises(Unauthenticated) as caught:
        verify(new, time.time())
    assert caught.value.code == "unknown_key"

    issuer.keys = [public(EC, "ES256", "new")]
    clock.now += limits.JWKS_PAUSE_SECONDS
    assert await port.refresh()
    assert verify(new, time.time()).sub == "ana"
    with pytest.raises(Unauthenticated) as caught:
        verify(old, time.time())
    assert caught.value.code == "unknown_key"


async def test_one_fetch_in_thirty_seconds(issuer: Issuer, refresher: JwksRefresher, clock: Clock) -> None:
    issuer.keys = [public(EC, "ES256")]
    assert await refresher.refresh()
    for _ in range(100):
        assert not await refresher.refresh()
    clock.now += 29.9
    assert not await refresher.refresh()
    assert issuer.requests == 1
    clock.now += 0.1
    assert await refresher.refresh()
    assert issuer.requests == 2


async def test_a_rotated_key_is_taken_at_once_whatever_strangers_asked_for(
    issuer: Issuer, keys: KeySet, refresher: JwksRefresher
) -> None:
    issuer.keys = [public(EC, "ES256", "old")]
    await refresher.start()
    assert await refresher.refresh("made up")
    issuer.keys = [public(EC, "ES256", "new")]
    assert await refresher.refresh("new"), "no time has passed since the miss"
    assert "new" in keys.keys


async def test_one_refetch_for_each_unknown_key_id(issuer: Issuer, refresher: JwksRefresher, clock: Clock) -> None:
    issuer.keys = [public(EC, "ES256", "old")]
    assert await refresher.refresh("unknown")
    assert [await refresher.refresh("unknown") for _ in range(20)] == [False] * 20
    assert issuer.requests == 1
    clock.now += limits.JWKS_MISSED_SECONDS
    assert await refresher.refresh("unknown")
    assert issuer.requests == 2


async def test_refetches_are_bounded_in_all(
    issuer: Issuer, refresher: JwksRefresher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond a few, one a second: those who wait share it, and a key that is there is found by whosever it was."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    issuer.keys = [public(EC, "ES256", "real")]
    monkeypatch.setattr(jwks.asyncio, "sleep", sleep)
    for n in range(int(limits.JWKS_BURST)):
        assert await refresher.refresh(f"made up {n}")
    assert waited == []
    assert await refresher.refresh("another")
    assert waited == [1 / limits.JWKS_PER_SECOND]
    assert all(await asyncio.gather(*(refresher.refresh(f"at once {n}") for n in range(50))))
    assert issuer.requests == limits.JWKS_BURST + 2


async def test_fetches_that_fail_are_limited_too(issuer: Issuer, refresher: JwksRefresher) -> None:
    issuer.say(b"", status=500)
    assert [await refresher.refresh() for _ in range(10)] == [False] * 10
    assert issuer.requests == 1


async def test_those_who_ask_at_once_share_a_fetch(issuer: Issuer, refresher: JwksRefresher) -> None:
    gate = asyncio.Event()

    async def slowly(request: web.Request) -> web.StreamResponse:
        await gate.wait()
        return await issuer.publish(request)

    issuer.keys, issuer.answer = [public(EC, "ES256")], slowly
    asking = [asyncio.ensure_future(refresher.refresh()) for _ in range(50)]
    await until(lambda: issuer.requests)
    asking[0].cancel()  # one who no longer waits takes nothing from the others
    asking.append(asyncio.ensure_future(refresher.refresh()))
    await settle()
    gate.set()
    assert await asyncio.gather(*asking[1:]) == [True] * 50
    assert asking[0].cancelled()
    assert issuer.requests == 1


async def test_keys_are_fetched_from_time_to_time(
    issuer: Issuer, keys: KeySet, refresher: JwksRefresher, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "JWKS_REFRESH_SECONDS", 0.001)
    issuer.say(b"not JSON")
    await refresher.start()
    for _ in range(3):  # a round that fails is not the last one
        before = issuer.requests
        clock.now += limits.JWKS_PAUSE_SECONDS
        await until(lambda before=before: issuer.requests > before)
    issuer.keys, issuer.answer = [public(EC, "ES256", "late")], issuer.publish
    await settle()

    def later() -> bool:
        clock.now += limits.JWKS_PAUSE_SECONDS
        return "late" in keys.keys

    await until(later)
    await refresher.close()
    last = issuer.requests
    clock.now += limits.JWKS_REFRESH_SECONDS + limits.JWKS_PAUSE_SECONDS
    await settle()
    assert issuer.requests == last


# An issuer on a bad day


@pytest.mark.parametrize(
    ("body", "status", "headers"),
    [
        (b"", 200, {}),
        (b"<html>", 200, {}),
        (b"\xff\xfe", 200, {}),
        (b"[]", 200, {}),
        (b"null", 200, {}),
        (b'{"keys": {}}', 200, {}),
        (b'{"keys": []}', 200, {}),
        (b'{"keys": [null, 7, "x", []]}', 200, {}),
        (b"[" * 100_000, 200, {}),
        (b"{}", 500, {}),
        (b"{}", 404, {}),
        (b"", 204, {}),
        (b"not gzip", 200, {"Content-Encoding": "gzip"}),
    ],
    ids=lambda value: repr(value)[:20],
)
async def test_old_keys_stay_when_the_answer_is_no_good(
    body: bytes, status: int, headers: dict[str, str], issuer: Issuer, keys: KeySet, refresher: JwksRefresher,
    clock: Clock, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    issuer.keys = [public(EC, "ES256", "old")]
    assert await refresher.refresh()
    issuer.say(body, status, **headers)
    clock.now += limits.JWKS_PAUSE_SECONDS
    assert not await refresher.refresh()
    assert list(keys.keys) == ["old"]
    assert_logged_once(caplog)


def assert_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """One warning in one line, without a traceback."""
    found = [record for record in caplog.records if record.name == "server.jwks"]
    assert [record.levelno for record in found] == [logging.WARNING]
    assert "\n" not in found[0].getMessage()
    assert not found[0].getMessage().endswith(": ")
    assert found[0].exc_info is None


@pytest.mark.parametrize("zipped", [False, True])
async def test_an_answer_that_is_too_large_is_not_read_to_its_end(
    zipped: bool, issuer: Issuer, keys: KeySet, refresher: JwksRefresher, caplog: pytest.LogCaptureFixture
) -> None:
    document = json.dumps({"keys": [public(EC, "ES256")], "x": "x" * 64 * limits.JWKS_BYTES}).encode()
    body, headers = (gzip.compress(document), {"Content-Encoding": "gzip"}) if zipped else (document, {})
    issuer.say(body, **headers)
    assert not await refresher.refresh()
    assert not keys.keys
    assert_logged_once(caplog)
    assert str(limits.JWKS_BYTES) in caplog.text


async def test_an_answer_just_below_the_limit_is_taken(issuer: Issuer, keys: KeySet, refresher: JwksRefresher) -> None:
    document = json.dumps({"keys": [public(EC, "ES256")]}).encode()
    issuer.say(document.ljust(limits.JWKS_BYTES))
    assert await refresher.refresh()
    assert list(keys.keys) == ["k"]


async def test_an_endless_answer_ends(issuer: Issuer, keys: KeySet, refresher: JwksRefresher) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while request.transport is not None and not request.transport.is_closing():
            try:
                await response.write(b" " * 65_536)
            except ConnectionError:
                break
        return response

    issuer.answer = endless
    assert not await refresher.refresh()
    assert not keys.keys


@pytest.mark.parametrize("after", ["nothing", "headers"])
async def test_an_issuer_that_is_too_slow_is_given_up(
    after: str, issuer: Issuer, refresher: JwksRefresher, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    gate = asyncio.Event()

    async def never(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        if after == "headers":
            await response.prepare(request)
        await gate.wait()
        return response

    issuer.answer = never
    monkeypatch.setattr(limits, "JWKS_SECONDS", 0.05)
    try:
        assert not await refresher.refresh()
    finally:
        gate.set()
    assert_logged_once(caplog)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(status: int, issuer: Issuer, keys: KeySet, refresher: JwksRefresher) -> None:
    issuer.say(json.dumps({"keys": [public(EC, "ES256")]}).encode(), status, Location=f"{issuer.url}?again")
    assert not await refresher.refresh()
    assert issuer.requests == 1
    assert not keys.keys


async def test_what_is_not_http_and_nobody_at_all(keys: KeySet, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nno header\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    refresher = JwksRefresher(f"http://127.0.0.1:{port}/keys", keys, clock=clock)
    assert not await refresher.refresh()
    assert_logged_once(caplog)
    server.close()
    caplog.clear()
    clock.now += limits.JWKS_PAUSE_SECONDS
    assert not await refresher.refresh()
    assert_logged_once(caplog)
    await refresher.close()


# Starting and stopping


async def test_closing_answers_those_who_wait(issuer: Issuer, refresher: JwksRefresher) -> None:
    gate = asyncio.Event()

    async def never(_: web.Request) -> web.StreamResponse:
        await gate.wait()
        return web.Response()

    issuer.answer = never
    starting, asking = asyncio.ensure_future(refresher.start()), asyncio.ensure_future(refresher.refresh())
    await until(lambda: issuer.requests)
    await refresher.close()
    assert not await asking
    await starting
    running = [task.get_coro() for task in asyncio.all_tasks()]
    assert not [coroutine for coroutine in running if "JwksRefresher" in getattr(coroutine, "__qualname__", "")]
    await refresher.close()
    gate.set()
    assert issuer.requests == 1


async def test_a_session_that_was_given_stays_open_but_is_used_no_more(
    issuer: Issuer, keys: KeySet, clock: Clock
) -> None:
    issuer.keys = [public(EC, "ES256")]
    async with aiohttp.ClientSession() as session:
        refresher = JwksRefresher(issuer.url, keys, session=session, clock=clock)
        await refresher.start()
        await refresher.close()
        assert list(keys.keys) == ["k"]
        assert not session.closed
        clock.now += limits.JWKS_PAUSE_SECONDS
        assert not await refresher.refresh()
        assert issuer.requests == 1


@pytest.mark.parametrize(
    "url",
    [
        "", "keys", "ftp://127.0.0.1/keys", "file:///etc/passwd", "http://issuer.example/keys", "http://10.0.0.1/keys",
        "http://127.0.0.1.evil.example/", "http://localhost.evil.example/", "http://localhost@evil.example/", "http://",
        "https://", "http://0.0.0.0/", "http://[::]/", "javascript:1", "//127.0.0.1/keys", "http://169.254.169.254/",
    ],
)  # fmt: skip
def test_a_url_that_others_could_tamper_with_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="must be https"):
        JwksRefresher(url, KeySet())


@pytest.mark.parametrize(
    "url",
    ["https://issuer.example/keys", "http://127.0.0.1:8000/", "http://localhost/k", "http://[::1]/", "HTTPS://x/"],
)
def test_a_url_that_is_safe_is_taken(url: str) -> None:
    JwksRefresher(url, KeySet())


# Which keys are taken


def test_only_public_signature_keys_of_known_kinds_are_kept() -> None:
    good = public(RSA, "RS256", "good", use="sig", alg="RS256", key_ops=["verify"])
    private = jwt.get_algorithm_by_name("RS256").to_jwk(RSA, as_dict=True) | {"kid": "private", "key_ops": None}
    found = usable_keys(
        {
            "keys": [
                good,
                private,
                public(EC, "ES256", "ec"),
                public(ED, "EdDSA", "ed"),
                *UNUSABLE.values(),
            ]
        }
    )
    assert {kid: key.algorithm_name for kid, key in found.items()} == {
        "good": "RS256", "private": "RS256", "ec": "ES256", "ed": "EdDSA"
    }  # fmt: skip
    assert isinstance(found["private"].key, rsa.RSAPublicKey)  # what an issuer leaked is not kept


UNUSABLE: dict[str, Any] = {
    "weak": public(WEAK_RSA, "RS256"),
    "for encryption": public(RSA, "RS256", use="enc"),
    "not to verify": public(RSA, "RS256", key_ops=["encrypt"]),
    "odd key_ops": public(RSA, "RS256", key_ops="verify"),
    "another algorithm": public(RSA, "RS256", alg="RS512"),
    "symmetric algorithm": public(RSA, "RS256", alg="HS256"),
    "odd algorithm": public(RSA, "RS256", alg=["RS256"]),
    "no algorithm": public(RSA, "RS256", alg="none"),
    "symmetric": {"kty": "oct", "kid": "k", "k": "A" * 64, "alg": "HS256"},
    "P-384": public(ec.generate_private_key(ec.SECP384R1()), "ES384"),
    "secp256k1": public(ec.generate_private_key(ec.SECP256K1()), "ES256K"),
    "Ed448": public(ed448.Ed448PrivateKey.generate(), "EdDSA"),
    "curve that lies": public(ec.generate_private_key(ec.SECP384R1()), "ES384", crv="P-256"),
    "not on the curve": public(EC, "ES256", x="A" * 43),
    "no kid": {name: value for name, value in public(EC, "ES256").items() if name != "kid"},
    "kid a number": public(EC, "ES256", kid=7),
    "kid a list": public(EC, "ES256", kid=["k"]),
    "n missing": {"kty": "RSA", "kid": "k", "e": "AQAB"},
    "n a number": {"kty": "RSA", "kid": "k", "n": 7, "e": "AQAB"},
    "n garbage": {"kty": "RSA", "kid": "k", "n": "!é", "e": "AQAB"},
    "e even": public(RSA, "RS256", e="Ag"),
    "x a list": {"kty": "OKP", "crv": "Ed25519", "kid": "k", "x": []},
    "x short": {"kty": "OKP", "crv": "Ed25519", "kid": "k", "x": "AAAA"},
    "kty a list": public(EC, "ES256", kty=["EC"]),
    "kty another": public(EC, "ES256", kty="RSA"),
    "curve a list": public(EC, "ES256", crv=["P-256"]),
    "empty": {},
    "no object": "key",
}


@pytest.mark.parametrize("entry", UNUSABLE.values(), ids=UNUSABLE)
def test_a_key_of_no_use_is_skipped(entry: Any) -> None:
    assert usable_keys({"keys": [entry]}) == {}


def test_whatever_the_library_raises_skips_one_key(monkeypatch: pytest.MonkeyPatch) -> None:
    made = jwks.PyJWK

    def broken(entry: dict[str, Any], algorithm: str) -> Any:
        if entry["kid"] == "odd":
            raise RuntimeError("odd")
        return made(entry, algorithm)

    monkeypatch.setattr(jwks, "PyJWK", broken)
    assert list(usable_keys({"keys": [public(EC, "ES256", "odd"), public(ED, "EdDSA", "good")]})) == ["good"]
