"""Forged tokens by every way in that a token has; what the verifier itself takes, test_tokens.py tests."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import jwt
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from actors import limits
from tests.carriers import CARRIERS, carrier_of
from tests.realtime_client import Disconnected, raw_client
from tests.server.auth.jwt_attacks import ATTACKS, Bait, Claims
from tests.server.auth.test_tokens import EC, ED, RSA, SECRET, by_ec, by_rsa, forge
from tests.server.operations.sweep.requests import check_problem
from tests.server.quiet import nothing_breaks
from tests.server.raw_http import raw_connection
from tests.serving import Answer, Server, serving

__all__ = ["nothing_breaks"]

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHANNEL = "secret:1"
INVALID_TOKEN = (3500, "invalid token")
PERMISSION_DENIED = 103
GOOD_FOR_A_CHANNEL = ("exp is not there", "kid of our own sessions")
"""A subscription may rest on a token that does not expire, and no token of ours is for one."""

attacks = pytest.mark.parametrize("name", ATTACKS)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bait() -> AsyncIterator[Bait]:
    async def visited(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found.visits += 1
        writer.close()

    listener = await asyncio.start_server(visited, "127.0.0.1", 0)
    found = Bait(listener.sockets[0].getsockname()[1])
    async with listener:
        yield found


async def published(_: web.Request) -> web.Response:
    """What the issuer has at JWT_JWKS_URL."""
    signers = {"rsa": (RSA, "RS256"), "ec": (EC, "ES256"), "ed": (ED, "EdDSA")}
    keys = [
        {**jwt.get_algorithm_by_name(algorithm).to_jwk(key.public_key(), as_dict=True), "kid": kid, "alg": algorithm}
        for kid, (key, algorithm) in signers.items()
    ]
    return web.json_response({"keys": keys})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    issuer = web.Application()
    issuer.router.add_get("/keys", published)
    async with (
        TestServer(issuer) as keys,
        serving(
            tmp_path_factory.mktemp("attacked") / "data",
            JWT_SECRET=SECRET.decode(), JWT_JWKS_URL=str(keys.make_url("/keys")), JWT_ISSUER="us", JWT_AUDIENCE="them",
        ) as running,
    ):  # fmt: skip
        yield running


def claims_of(name: str, **more: Any) -> Claims:
    email = f"{name}@rpotential.ai"
    return {"sub": f"sub-{name}", "email": email, "exp": int(time.time()) + 600, "iss": "us", "aud": "them", **more}


def good() -> str:
    return forge({"alg": "HS256"}, claims_of("alice"))


async def get(server: Server, path: str, headers: Mapping[str, str]) -> Answer:
    async with server.session.get(server.url + path, headers=headers) as response:
        return Answer(response.status, response.headers, await response.read() if response.status != 200 else b"")


WAYS: Mapping[str, tuple[str, str, str]] = {
    "bearer": ("/api/v1/users/me", "Authorization", "Bearer {}"),
    "cookie": ("/api/v1/users/me", "Cookie", "rpotential_auth={}"),
    "a stream": ("/api/v1/events", "Authorization", "Bearer {}"),
    "a stream by cookie": ("/api/v1/events", "Cookie", "rpotential_auth={}"),
}


async def asked_by(server: Server, way: str, token: str) -> Answer:
    path, header, form = WAYS[way]
    return await get(server, path, {header: form.format(token)})


@attacks
async def test_a_request_is_answered_alike_by_every_way(server: Server, bait: Bait, name: str) -> None:
    token = ATTACKS[name](claims_of("alice"), bait)
    problems = [check_problem(await asked_by(server, way, token), 401) for way in WAYS]
    told = [problem | {"timestamp": "", "trace_id": "", "correlation_id": ""} for problem in problems]
    assert told == [told[0]] * len(WAYS)
    slug = "unknown-key" if told[0]["code"] == "unknown_key" else "unauthenticated"
    assert told[0] | {"detail": ""} == {
        "type": f"https://experience.rpotential.dev/problems/{slug}", "title": "Not signed in", "status": 401,
        "detail": "", "errors": {}, "code": slug.replace("-", "_"), "retryable": False, "timestamp": "", "trace_id": "",
        "correlation_id": "",
    }  # fmt: skip
    assert bait.url not in told[0]["detail"]
    assert bait.visits == 0


@attacks
async def test_a_connection_ends_alike_by_every_way(server: Server, bait: Bait, name: str) -> None:
    token = ATTACKS[name](claims_of("alice"), bait)
    for carried_by in CARRIERS:
        async with carrier_of(server.session, server.url, carried_by) as carrier:
            client = await carrier()
            await client.send(client.command("connect", token=token))
            assert told_of(await client.closed()) == INVALID_TOKEN, carried_by
    for headers in ({"Authorization": f"Bearer {token}"}, {"Cookie": f"rpotential_auth={token}", "Origin": server.url}):
        async with raw_client(server.session, server.websocket_url, headers=headers) as upgraded:
            await upgraded.send(upgraded.command("connect"))
            assert told_of(await upgraded.closed()) == INVALID_TOKEN
    assert bait.visits == 0


def told_of(end: Disconnected) -> tuple[int | None, str]:
    return end.code, end.reason


@attacks
async def test_nothing_is_refreshed_by_it(server: Server, bait: Bait, name: str) -> None:
    """A connection ends; a subscription stays what it was."""
    async with raw_client(server.session, server.websocket_url, good()) as client:
        claims = claims_of("alice", channel=CHANNEL)
        await client.ask("subscribe", channel=CHANNEL, token=forge({"alg": "HS256"}, claims))
        if name not in GOOD_FOR_A_CHANNEL:
            token = ATTACKS[name](claims, bait)
            code, message = await client.error("sub_refresh", channel=CHANNEL, token=token)
            assert code == PERMISSION_DENIED
            assert message.startswith("permission denied: "), message
            assert await client.error("subscribe", channel="secret:2", token=token) == (code, message)
        await client.send(client.command("refresh", token=ATTACKS[name](claims_of("alice"), bait)))
        assert told_of(await client.closed()) == INVALID_TOKEN
    assert bait.visits == 0


async def test_the_same_claims_by_keys_that_are_good(server: Server) -> None:
    """So it is not for the claims that the attacks are refused."""
    for token in (
        good(),
        forge({"alg": "RS256", "kid": "rsa"}, claims_of("alice"), by_rsa),
        forge({"alg": "ES256", "kid": "ec"}, claims_of("alice"), by_ec),
        forge({"alg": "EdDSA", "kid": "ed"}, claims_of("alice"), ED.sign),
    ):
        assert [(await asked_by(server, way, token)).status for way in WAYS] == [200] * len(WAYS)
        for carried_by in CARRIERS:
            async with carrier_of(server.session, server.url, carried_by) as carrier:
                assert (await carrier(token)).inbox == []


async def test_a_token_over_the_limit(server: Server) -> None:
    """A header has no room for it, a frame has: no way in takes it, though its signature is good."""
    huge = forge({"alg": "HS256"}, claims_of("alice", x="x" * limits.TOKEN_BYTES))
    for name, value in (("Authorization", f"Bearer {huge}"), ("Cookie", f"rpotential_auth={huge}")):
        async with raw_connection(server.url) as connection:
            assert (await connection.ask("GET /api/v1/users/me HTTP/1.1", f"{name}: {value}")).status == 400
    async with raw_client(server.session, server.websocket_url) as client:
        await client.send(client.command("connect", token=huge))
        assert told_of(await client.closed()) == INVALID_TOKEN


async def test_it_does_not_matter_how_often(server: Server, bait: Bait) -> None:
    """What was refused once is not remembered as anything."""
    token = ATTACKS["a key at jku beside a good one"](claims_of("alice"), bait)
    assert [(await asked_by(server, "bearer", token)).status for _ in range(20)] == [401] * 20
    assert (await asked_by(server, "bearer", good())).status == 200
    assert bait.visits == 0
