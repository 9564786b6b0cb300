"""Wrong passwords: they slow the place they come from, and never keep the owner out of a place the owner knows."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from actors import limits
from server.limits.rate_limits import KINDS, RateLimiter
from tests.server.operations.signing_in import PASSWORD, Device, device_of, new_link, nobody, sign_in, sql
from tests.server.operations.sweep.requests import check_problem
from tests.serving import Answer, Client, Server, serving

LOGIN, REFRESH = "/api/v1/auth/login", "/api/v1/auth/refresh"
HERS, HOME, ELSEWHERE = "alice@rpotential.ai", "198.51.100.7", "203.0.113.5"


@pytest.fixture
async def limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Server]:
    """With the limits of a server that nobody has set up; argon2 itself made cheap, for there are hundreds of tries."""
    monkeypatch.setattr("server.auth.passwords._hash_or_check", cheap)
    async with serving(tmp_path / "data", RATE_LIMITS="on", TRUSTED_PROXIES="127.0.0.0/8") as server:
        frozen(server.services.limiter)
        yield server


def cheap(password: str, known: str | None) -> str | None:
    return f"hash of {password}" if known in (None, f"hash of {password}") else None


def frozen(limiter: RateLimiter | None) -> None:
    """Nothing flows in while a test runs: what it may draw is what the buckets hold."""
    assert limiter is not None
    for kind in KINDS:
        limiter.policy(kind).rate = 1e-9


@pytest.fixture
async def root(limited: Server) -> Client:
    return limited.client("root", role="ADMIN")


@pytest.fixture
async def known(limited: Server, root: Client) -> Device:
    """Alice, who has a password, and has signed in from home."""
    link = await new_link(root, (await limited.client("alice").me())["id"])
    return device_of(limited, await attempt(limited, HOME, link=link, new_password=PASSWORD))


def leave(server: Server, place: str, count: int) -> None:
    """So many bad refresh tokens more may come from there."""
    assert server.services.limiter is not None
    for _ in range(KINDS["auth"].burst - count):
        server.services.limiter.policy("auth").take(("refresh_session", place))


async def attempt(server: Server, address: str, path: str = LOGIN, **body: Any) -> Answer:
    return await nobody(server).post(path, {"X-Forwarded-For": address}, **body)


async def wrong(server: Server, address: str, times: int, email: str = HERS) -> list[int]:
    return [(await attempt(server, address, email=email, password=f"wrong {n}")).status for n in range(times)]


async def right(server: Server, address: str) -> Answer:
    return await attempt(server, address, email=HERS, password=PASSWORD)


async def test_wrong_ones_slow_the_place_they_come_from(limited: Server, known: Device) -> None:
    assert await wrong(limited, ELSEWHERE, 12) == [401] * 10 + [429] * 2
    refused = check_problem(await right(limited, ELSEWHERE), 429)
    assert refused["retryable"], "a right guess is not told from a wrong one there"
    assert (await right(limited, HOME)).status == 200
    assert (await right(limited, "192.0.2.99")).status == 200, "nor is any other place, new as it may be"


async def test_an_address_written_otherwise_is_the_same_account(limited: Server, known: Device) -> None:
    for number in range(10):
        email = HERS if number % 2 else HERS.upper()
        assert (await attempt(limited, ELSEWHERE, email=email, password=f"wrong {number}")).status == 401
    assert await wrong(limited, ELSEWHERE, 1) == [429]
    assert await wrong(limited, "2001:db8:1:2::1", 10) == [401] * 10
    assert await wrong(limited, "2001:db8:1:2:ffff::9", 1) == [429], "who has one address has its network"


async def test_right_ones_draw_from_none_of_it(limited: Server, known: Device) -> None:
    for _ in range(25):
        assert (await right(limited, ELSEWHERE)).status == 200
    assert await wrong(limited, ELSEWHERE, 3) == [401] * 3


async def test_guesses_from_everywhere_leave_the_places_that_the_owner_knows(limited: Server, known: Device) -> None:
    burst, each = KINDS["guesses_strangers"].burst, KINDS["guesses"].burst
    statuses = [await wrong(limited, f"203.0.113.{n}", each) for n in range(burst // each)]
    assert statuses == [[401] * each] * (burst // each)
    assert await wrong(limited, "203.0.113.200", 2) == [429] * 2, "many who guess a little are a guess of many"
    check_problem(await right(limited, "192.0.2.99"), 429)
    assert (await right(limited, HOME)).status == 200
    assert (await known.client.get("/api/v1/auth/me")).status == 200


async def test_an_account_that_nobody_has_is_limited_the_same(limited: Server) -> None:
    assert await wrong(limited, ELSEWHERE, 11, email="nobody@rpotential.ai") == [401] * 10 + [429]


async def test_a_stranger_behind_the_owners_own_address(limited: Server, known: Device) -> None:
    """One wrong password every two seconds is what flows in there."""
    rate = KINDS["guesses_familiar"]
    assert rate.per_second >= 0.5
    assert await wrong(limited, HOME, rate.burst + 1) == [401] * rate.burst + [429]


async def test_many_at_once_are_no_more_than_one_after_another(limited: Server, known: Device) -> None:
    tries = [attempt(limited, ELSEWHERE, email=HERS, password=f"wrong {n}") for n in range(30)]
    statuses = [answer.status for answer in await asyncio.gather(*tries)]
    assert sorted(statuses) == [401] * 10 + [429] * 20


async def test_many_right_ones_at_once(limited: Server, known: Device) -> None:
    answers = await asyncio.gather(*(right(limited, ELSEWHERE) for _ in range(20)))
    assert {answer.status for answer in answers} == {200}


async def test_other_ways_in_go_on_where_passwords_were_guessed(limited: Server, known: Device, root: Client) -> None:
    """From the very same address: a refresh, a link."""
    for account in range(20):
        await wrong(limited, HOME, 10, email=f"p{account}@rpotential.ai")
    link = await new_link(root, (await root.me())["id"])
    assert (await attempt(limited, HOME, REFRESH, refresh_token=known.refresh_token)).status == 200
    assert (await attempt(limited, HOME, link=link)).status == 200
    begun = await nobody(limited).get("/api/v1/auth/oauth/google", {"X-Forwarded-For": HOME})
    assert begun.status == 404, "no provider is set up; but it is no 429"


async def test_refreshing_does_not_use_up_what_failures_may(limited: Server, known: Device) -> None:
    leave(limited, HOME, 2)
    for _ in range(6):
        answer = await attempt(limited, HOME, REFRESH, refresh_token=known.refresh_token)
        assert answer.status == 200
        known.refresh_token = answer.data["refresh_token"]


async def test_bad_refresh_tokens_slow_only_refreshing_there(limited: Server, known: Device) -> None:
    leave(limited, ELSEWHERE, 2)
    statuses = [(await attempt(limited, ELSEWHERE, REFRESH, refresh_token=f"xpr_{n}")).status for n in range(4)]
    assert statuses == [401, 401, 429, 429]
    assert (await right(limited, ELSEWHERE)).status == 200
    assert (await attempt(limited, HOME, REFRESH, refresh_token=known.refresh_token)).status == 200


async def test_a_link_that_is_none_costs_no_hash(
    limited: Server, known: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr("server.auth.passwords._hash_or_check", lambda *given: asked.append(given[0]))
    answer = await attempt(limited, ELSEWHERE, link="xpl_none", new_password=PASSWORD)
    assert (answer.status, asked) == (401, [])


async def test_who_has_come_by_a_session_guesses_no_longer(limited: Server, known: Device) -> None:
    """And keeps the owner, who is signed in elsewhere, from nothing."""
    guesses = [
        (await known.client.post("/api/v1/auth/password", current_password=f"wrong {n}", new_password=PASSWORD)).status
        for n in range(11)
    ]
    assert guesses == [403] * 10 + [429]
    own = device_of(limited, await right(limited, HOME))
    changed = await own.client.post("/api/v1/auth/password", current_password=PASSWORD, new_password=PASSWORD + "!")
    assert changed.status == 200


async def test_a_password_that_changes_while_it_is_checked(
    limited: Server, known: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def changing(password: str, known: str | None) -> str | None:
        sql(tmp_path / "data", "UPDATE password SET hash = 'another'")
        return cheap(password, known)

    monkeypatch.setattr("server.auth.passwords._hash_or_check", changing)
    check_problem(await right(limited, HOME), 401)


async def test_places_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """A crowd from one address keeps nobody else's password from being checked."""
    from server.auth.passwords import Turns

    monkeypatch.setattr(limits, "PASSWORDS_WAITING", 3)
    turns, served = Turns(1), []

    async def one(place: str, name: str) -> None:
        await turns.begin(place)
        served.append(name)

    await one("a", "a0")
    waiting = [asyncio.ensure_future(one("a", f"a{n}")) for n in (1, 2, 3)] + [asyncio.ensure_future(one("b", "b1"))]
    await asyncio.sleep(0)
    with pytest.raises(Exception, match="in progress"):
        await turns.begin("a")
    waiting.pop(1).cancel()
    for _ in range(4):
        turns.end()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert served == ["a0", "a1", "b1", "a3"]
    assert turns.waiting == 0
    await turns.begin("c")
    assert (await asyncio.gather(*waiting)) == [None] * 3


async def test_the_memory_is_bounded(limited: Server, known: Device) -> None:
    for number in range(30):
        await wrong(limited, ELSEWHERE, 1, email=f"p{number}@rpotential.ai")
    tries = limited.services.sign_ins.tries
    assert len(tries._turns) == 0, "who waits for nothing is remembered by no lock"


async def test_one_set_of_buckets_for_all_that_a_user_comes_by(tmp_path: Path) -> None:
    """On 429 a new key, a new session or a new token is no new allowance."""
    async with serving(tmp_path / "data", RATE_LIMITS="on", RATE_WRITE="1/min:8") as server:
        root, alice = server.client("root", role="ADMIN"), server.client("alice")
        her = (await alice.me())["id"]
        keys = [(await alice.post("/api/v1/auth/api-keys", name=f"k{n}")).data["key"] for n in range(2)]
        device = await sign_in(server, root, her)
        by = [alice.token, alice.again().token, device.client.token, *keys]
        statuses = []
        for number in range(12):
            alice.token = by[number % len(by)]
            statuses.append((await alice.post("/api/v1/threads", title="x")).status)
        assert statuses == [201] * 8 + [429] * 4


@pytest.mark.parametrize("scopes", [["read"], ["read", "write"]])
async def test_exports_have_a_limit_of_their_own(scopes: list[str], tmp_path: Path) -> None:
    async with serving(tmp_path / "data", RATE_LIMITS="on", RATE_AUDITED="1/min:5") as server:
        alice = server.client("alice")
        her = (await alice.me())["id"]
        alice.token = (await alice.post("/api/v1/auth/api-keys", name="k", scopes=scopes)).data["key"]
        statuses = [(await alice.get(f"/api/v1/users/{her}/export")).status for _ in range(7)]
        assert statuses == [200] * 4 + [429] * 3
        ((entries,),) = sql(tmp_path / "data", "SELECT count(*) FROM audit WHERE action = 'export_user'")
        assert entries == 4
        assert (await alice.get("/api/v1/users/me")).status == 200
