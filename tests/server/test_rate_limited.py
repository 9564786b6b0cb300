"""How much may be asked over REST and RPC, and what is told about it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.limits.rate_limits import KINDS, Policy
from server.limits.token_bucket import Rate
from tests.realtime_client import raw_client
from tests.server.operations.sweep.requests import check_problem
from tests.server.quiet import nothing_breaks
from tests.serving import Answer, Server, serving
from tests.tokens import token

__all__ = ["nothing_breaks"]

ME = "/api/v1/users/me"
TIGHT = {
    "RATE_LIMITS": "on",
    "RATE_READ": "1/min:5",
    "RATE_WRITE": "1/min:3",
    "RATE_ADMIN": "1/min:2",
    "RATE_AUTH": "1/min:2",
    "RATE_COSTLY": "1/min:2",
}


@pytest.fixture
async def tight(tmp_path: Path) -> AsyncIterator[Server]:
    async with serving(tmp_path / "data", **TIGHT) as server:
        yield server


def told(answer: Answer) -> tuple[str, ...]:
    names = ("RateLimit-Policy", "RateLimit", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
    return tuple(answer.headers[name] for name in names)


async def test_what_every_answer_tells(tight: Server) -> None:
    alice = tight.client("alice")
    for left in range(4, -1, -1):
        answer = await alice.get(ME)
        assert answer.status == 200
        assert told(answer) == ('"read";q=5;w=300', f'"read";r={left};t=60', "5", str(left), "60")
        assert "Retry-After" not in answer.headers
    refused = await alice.get(ME)
    error = check_problem(refused, 429)
    assert (error["code"], error["retryable"]) == ("rate_limited", True)
    wait = int(refused.headers["Retry-After"])
    assert 50 <= wait <= 60
    assert told(refused) == ('"read";q=5;w=300', f'"read";r=0;t={wait}', "5", "0", str(wait))
    assert (await alice.get("/api/v1/threads")).status == 429, "reads share a bucket"
    assert (await tight.client("bob").get(ME)).status == 200, "nobody else's"


async def test_refusals_count_and_tell_too(tight: Server) -> None:
    alice = tight.client("alice")
    for left, (path, status) in enumerate([("/api/v1/users?limit=0", 400), (f"/api/v1/threads/c{'0' * 24}", 404)]):
        answer = await alice.get(path)
        assert answer.status == status
        assert told(answer)[3] == str(4 - left)
    assert "RateLimit" not in (await alice.get("/nope")).headers, "what is no operation draws from nothing"


async def test_kinds_are_apart(tight: Server) -> None:
    root = tight.client("root", role="ADMIN")
    assert [(await root.post("/api/v1/threads", title="x")).status for _ in range(4)] == [201, 201, 201, 429]
    assert (await root.get(ME)).status == 200
    answer = await root.post("/api/v1/users", email="x@rpotential.ai", name="X")
    assert answer.status == 201
    assert told(answer)[0].startswith('"admin"')


async def test_what_is_open_is_limited_by_address(tight: Server) -> None:
    statuses = [(await tight.client(f"p{number}").get("/health")).status for number in range(7)]
    assert statuses == [200] * 5 + [429] * 2
    assert (await tight.client("alice").get(ME)).status == 200


async def test_an_address_behind_a_proxy_is_the_client_s(tmp_path: Path) -> None:
    async with serving(tmp_path / "data", **TIGHT, TRUSTED_PROXIES="127.0.0.0/8") as server:
        somebody = server.client("somebody")
        for last in range(1, 4):
            came = {"X-Forwarded-For": f"203.0.113.{last}"}
            assert [(await somebody.get("/health", came)).status for _ in range(6)] == [200] * 5 + [429]


async def test_signing_in_is_limited_by_address(tight: Server) -> None:
    statuses = []
    for number in range(4):
        body = {"email": f"p{number}@rpotential.ai", "password": "not the right one"}
        statuses.append((await tight.client("x").post("/api/v1/auth/login", **body)).status)
    assert statuses == [401, 401, 429, 429]


async def test_nobody_guesses_for_long(tight: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    alice = tight.client("alice")
    await alice.me()
    limiter = tight.services.limiter
    assert limiter is not None
    monkeypatch.setitem(limiter._policies, "refused", Policy("refused", Rate(0.001, 10), lambda: 0.0, 100))
    statuses = []
    for number in range(12):
        headers = {"Authorization": f"Bearer guess.number.{number}"}
        statuses.append((await alice.get(ME, headers)).status)
    assert statuses == [401] * 10 + [429] * 2
    refused = await alice.get(ME, {"Authorization": "Bearer guess.number.12"})
    assert check_problem(refused, 429)["code"] == "rate_limited"
    assert int(refused.headers["Retry-After"]) > 0
    assert told(refused)[0].startswith('"refused"')
    assert (await alice.get(ME)).status == 200, "whoever is known goes on"
    right = await alice.get(ME, {"Authorization": f"Bearer {token('bob')}"})
    assert right.status == 429, "a right guess is not told from a wrong one"
    async with raw_client(tight.session, tight.websocket_url) as client:
        assert (await client.error("connect", token=token("bob")))[0] == 111
        await client.connect(alice.token)


async def test_a_page_that_does_not_give_up_is_alone_with_it(tight: Server) -> None:
    """The same bad token, again and again: it is answered 429, and nobody beside it is kept out."""
    alice = tight.client("alice")
    bad = {"Authorization": "Bearer no.good.token"}
    statuses = [(await alice.get(ME, bad)).status for _ in range(KINDS["refused"].burst + 10)]
    assert statuses[0] == 401
    assert statuses[-1] == 429
    assert (await alice.get(ME)).status == 200


async def test_an_old_token_was_not_guessed(tight: Server) -> None:
    alice = tight.client("alice")
    for number in range(KINDS["refused"].burst + 10):
        old = token("alice", ttl_seconds=-60 - number)
        answer = await alice.get(ME, {"Authorization": f"Bearer {old}"})
        assert (answer.status, answer.error["code"]) == (401, "token_expired")


async def test_streams_draw_like_reads(tight: Server) -> None:
    alice = tight.client("alice")
    assert (await alice.get(ME)).status == 200
    for left in (3, 2, 1, 0):
        async with tight.session.get(
            tight.url + "/api/v1/events", headers={"Authorization": f"Bearer {alice.token}"}
        ) as stream:
            assert stream.status == 200
            assert stream.headers["RateLimit-Remaining"] == str(left)
    check_problem(await alice.get("/api/v1/events"), 429)


async def test_exports_and_archives_are_costly(tight: Server) -> None:
    """They take seconds of the interpreter, and a thousand reads."""
    alice, unknown = tight.client("alice"), f"c{'0' * 24}"
    assert (await alice.get(f"/api/v1/artifacts/{unknown}/export")).status == 404
    assert (await alice.post("/api/v1/files/zip", ids=[unknown])).status == 404
    assert (await alice.get(f"/api/v1/artifacts/{unknown}/export")).status == 429
    assert (await alice.post("/api/v1/files/zip", ids=[unknown])).status == 429


async def test_an_answer_in_one_request_is_a_write(tight: Server) -> None:
    alice = tight.client("alice")
    thread = await alice.thread()
    path, headers = f"/api/v1/threads/{thread['id']}/messages:stream", {"Content-Type": "application/x-ndjson"}
    for status in (201, 201, 429):
        answer = await alice.request("POST", path, headers=headers, data=b'{"text":"Hello"}')
        assert answer.status == status


async def test_without_limits_nothing_is_told(tmp_path: Path) -> None:
    async with serving(tmp_path / "data", **TIGHT | {"RATE_LIMITS": "off"}) as server:
        alice = server.client("alice")
        for _ in range(20):
            answer = await alice.get(ME)
            assert answer.status == 200
            assert not [name for name in answer.headers if name.startswith("RateLimit")]
        assert server.services.limiter is None


async def test_a_person_never_meets_them(tmp_path: Path) -> None:
    """As they are: everything that a screen asks for at once, and a message with every key."""
    async with serving(tmp_path / "data", RATE_LIMITS="on") as server:
        alice = server.client("alice")
        thread = await alice.thread()
        for _ in range(150):
            assert (await alice.post(f"/api/v1/threads/{thread['id']}/messages", content="x")).status == 201
        for _ in range(300):
            assert (await alice.get(ME)).status == 200


# RPC


async def test_rpc_draws_from_the_same_buckets(tight: Server) -> None:
    alice = tight.client("alice")
    thread = await alice.thread()
    async with raw_client(tight.session, tight.websocket_url, alice.token) as client:
        assert "rpc" in await client.ask("rpc", method="get_me")
        data = {"thread_id": thread["id"], "content": "x"}
        assert "rpc" in await client.ask("rpc", method="create_message", data=data)
        assert "publish" in await client.ask("publish", channel=f"thread:{thread['id']}", data={"content": "x"})
        for verb, body in (
            ("rpc", {"method": "create_message", "data": data}),
            ("publish", {"channel": f"thread:{thread['id']}", "data": {"content": "x"}}),
        ):
            error = (await client.ask(verb, **body))["error"]
            assert (error["code"], error["temporary"]) == (111, True)
            assert '"code":"rate_limited"' in error["message"]
    assert (await alice.post("/api/v1/threads", title="x")).status == 429
    assert told(await alice.get(ME))[3] == "3"


async def test_connections_of_one_user_share_them(tight: Server) -> None:
    alice = tight.client("alice")
    answers = []
    for _ in range(6):
        async with raw_client(tight.session, tight.websocket_url, alice.token) as client:
            answers.append("error" in await client.ask("rpc", method="get_me"))
    assert answers == [False] * 5 + [True]


@pytest.mark.parametrize("verb", ["history", "presence", "presence_stats"])
async def test_commands_of_a_connection_draw_from_the_user_s_too(verb: str, tight: Server) -> None:
    """A second connection is no new allowance."""
    alice = tight.client("alice")
    thread = await alice.thread()
    answers = []
    for _ in range(3):
        async with raw_client(tight.session, tight.websocket_url, alice.token) as client:
            asked = [await client.ask(verb, channel=f"thread:{thread['id']}") for _ in range(2)]
            answers += ["error" in answer for answer in asked]
    assert answers == [False] * 5 + [True]


async def test_publishing_on_a_live_channel_is_a_write(tmp_path: Path) -> None:
    async with serving(tmp_path / "data", LIVE_CHANNELS="cursor:*", **TIGHT) as server:
        alice = server.client("alice")
        async with raw_client(server.session, server.websocket_url, alice.token) as client:
            for _ in range(3):
                assert "publish" in await client.ask("publish", channel="cursor:1", data={"x": 1})
            error = (await client.ask("publish", channel="cursor:1", data={"x": 1}))["error"]
            assert (error["code"], error["temporary"]) == (111, True)
        assert (await alice.post("/api/v1/threads", title="x")).status == 429
