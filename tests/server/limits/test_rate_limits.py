"""How much may be asked: buckets by themselves, for users, keys, addresses and bad tokens, and how they are set."""

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.errors import TooManyRequests
from cli import settings
from server.api import operations
from server.limits.rate_limits import KINDS, Policy, RateLimiter, add_headers, draw, owner, subject_of
from server.limits.token_bucket import Rate, TokenBucket, rate
from tests.server.quiet import nothing_breaks
from tests.serving import load_settings

__all__ = ["nothing_breaks"]


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


# Buckets


def test_a_burst_then_one_by_one(clock: Clock) -> None:
    policy = Policy("read", Rate(2.0, 5), clock, 10)
    assert policy.refused == 0
    assert [policy.take("a") for _ in range(5)] == [4, 3, 2, 1, 0]
    with pytest.raises(TooManyRequests) as caught:
        policy.take("a")
    assert caught.value.retry_after == 1
    assert "At most 5 requests of the kind `read` at once, then 2 a second" in caught.value.detail
    clock.now += 0.5
    assert policy.take("a") == 0
    clock.now += 1_000
    assert policy.take("a") == 4, "no more than the burst is saved up"
    assert policy.take("b") == 4, "everybody has their own"


def test_how_long_to_wait(clock: Clock) -> None:
    policy = Policy("auth", rate("2/min:1"), clock, 10)
    policy.take("a")
    for passed, wait in ((0.0, 30), (10.0, 20), (19.5, 1), (0.4, 1)):
        clock.now += passed
        with pytest.raises(TooManyRequests) as caught:
            policy.take("a")
        assert caught.value.retry_after == wait
        assert f"at once, then 2 a minute; there is room for the next one in {wait} s." in caught.value.detail
        assert caught.value.data["headers"]["RateLimit"] == f'"auth";r=0;t={wait}'
    clock.now += wait
    assert policy.take("a") == 0


def test_the_last_moment_is_a_second_to_wait(clock: Clock) -> None:
    """`Retry-After: 0` would be an invitation to be refused again."""
    policy = Policy("read", Rate(1.0, 1), clock, 10)
    policy.take("a")
    clock.now += 1 - 5e-7
    with pytest.raises(TooManyRequests, match="then 1 a second") as caught:
        policy.check("a")
    assert caught.value.retry_after == 1


def test_who_asks_in_vain_does_not_wait_longer(clock: Clock) -> None:
    policy = Policy("read", Rate(1.0, 1), clock, 10)
    policy.take("a")
    for _ in range(1_000):
        with pytest.raises(TooManyRequests):
            policy.take("a")
    clock.now += 1
    assert policy.take("a") == 0


def test_looking_takes_none(clock: Clock) -> None:
    policy = Policy("refused", Rate(1.0, 1), clock, 10)
    for _ in range(3):
        policy.check("a")
    assert len(policy) == 0
    for _ in range(3):
        policy.count("a")
    with pytest.raises(TooManyRequests):
        policy.check("a")
    policy.check("b")


def test_what_is_refused_is_counted_and_not_what_is_only_looked_at(clock: Clock) -> None:
    limiter = RateLimiter({"read": Rate(1.0, 1)}, clock=clock)
    policy = limiter.policy("read")
    policy.look("a")
    assert limiter.take("read", "a") == 0
    for refused, ask in ((1, policy.take), (2, policy.check), (2, policy.look)):
        with pytest.raises(TooManyRequests):
            ask("a")
        assert limiter.refused()["read"] == refused
    assert limiter.refused()["write"] == 0


def test_the_headers_say_what_is_left_and_what_a_policy_is(clock: Clock) -> None:
    policy, request, response = Policy("read", Rate(0.4, 5), clock, 10), {}, SimpleNamespace(headers={})  # type: ignore[var-annotated]
    seen: Any = (request, response)
    add_headers(*seen)
    assert response.headers == {}
    draw(policy, seen[0], "a")
    draw(policy, seen[0], "a")
    add_headers(*seen)
    assert {str(name): value for name, value in response.headers.items()} == {
        "RateLimit-Policy": '"read";q=5;w=13', "RateLimit": '"read";r=3;t=3', "RateLimit-Limit": "5",
        "RateLimit-Remaining": "3", "RateLimit-Reset": "3",
    }  # fmt: skip


def test_the_memory_is_bounded_and_forgets_whoever_was_longest_away(clock: Clock) -> None:
    policy = Policy("read", Rate(1.0, 3), clock, 3)
    for subject in ("first", "second", "third"):
        assert policy.take(subject) == 2
    assert policy.take("first") == 1, "used again: now the second is the one that was longest away"
    assert policy.take("fourth") == 2
    assert [subject in policy for subject in ("first", "second", "third", "fourth")] == [True, False, True, True]
    assert len(policy) == 3
    assert policy.take("first") == 0
    assert policy.take("second") == 2, "forgotten: as if it had never asked"
    for number in range(1_000):
        policy.take(number)
        assert len(policy) == 3


@given(
    rate=st.floats(0.05, 50),
    burst=st.integers(1, 20),
    steps=st.lists(st.floats(0, 5), min_size=1, max_size=100),
)
def test_never_more_than_the_burst_and_what_has_flowed_in(rate: float, burst: int, steps: list[float]) -> None:
    now = 0.0
    bucket = TokenBucket(rate, float(burst), now)
    granted: list[float] = []
    for step in steps:
        now += step
        left = bucket.take_at(now)
        assert -1 <= left < burst
        if left >= 0:
            granted.append(now)
        else:
            assert 0 < bucket.wait(now) <= 1 / rate + 1e-9
            assert bucket.take_at(now) == -1, "the same moment, the same answer"
        within = [moment for moment in granted if moment >= now - 3.0]
        assert len(within) <= burst + 3.0 * rate + 1e-6


# Kinds and subjects


def test_what_is_given_back_does_not_count(clock: Clock) -> None:
    policy = Policy("auth", Rate(1.0, 3), clock, 10)
    for _ in range(20):
        assert policy.take("a") == 2
        policy.give_back("a")
    policy.give_back("a")
    assert policy.take("a") == 2, "never more than the burst"
    policy.give_back("nobody")
    assert "nobody" not in policy


def test_ways_of_signing_in_have_buckets_of_their_own_and_give_back(clock: Clock) -> None:
    limiter = RateLimiter({"auth": Rate(1e-9, 1)}, clock=clock)
    password, oidc = (SimpleNamespace(name=name, rate="auth", access="open") for name in ("password", "oidc"))
    reading = SimpleNamespace(name="list", rate="read", access="open")
    places: list[Any] = [subject_of(each, None, lambda: "203.0.113.5") for each in (password, oidc, reading)]
    assert places == [("password", "203.0.113.5"), ("oidc", "203.0.113.5"), "203.0.113.5"]
    for place in places[:2]:
        assert limiter.take("auth", place) == 0
    limiter.give_back("password", "203.0.113.5")
    assert limiter.take("auth", places[0]) == 0
    with pytest.raises(TooManyRequests):
        limiter.take("auth", places[1])


def who(key: int = 7, api_key: str = "") -> Any:
    return SimpleNamespace(user=SimpleNamespace(key=key), api_key_id=api_key)


def test_a_user_has_one_set_of_buckets_whatever_they_come_by() -> None:
    assert owner(who()) == owner(who(api_key="k1")) == owner(who(api_key="k2")) == 7


@pytest.mark.parametrize("operation", operations.ALL, ids=lambda operation: operation.name)
def test_every_operation_draws(operation: Any, clock: Clock) -> None:
    """By address where nobody has to say who they are, by owner elsewhere."""
    limiter = RateLimiter({operation.rate: Rate(0.001, 2)}, clock=clock)
    by_address = operation.access in ("open", "optional")

    def take(user: int, address: str) -> None:
        limiter.take(operation.rate, subject_of(operation, who(user), lambda: address))

    for number in range(2):
        take(number if by_address else 7, "203.0.113.5" if by_address else f"10.0.0.{number}")
    with pytest.raises(TooManyRequests):
        take(9 if by_address else 7, "203.0.113.5" if by_address else "10.0.0.9")
    take(8, "10.0.0.8")


def test_bad_tokens_of_one_address(clock: Clock) -> None:
    limiter = RateLimiter({"refused": Rate(1.0, 5)}, clock=clock)

    def refuse(text: str, address: str = "203.0.113.5") -> None:
        limiter.check_token(text, address)
        limiter.token_refused(text, address)

    for _ in range(5):
        refuse("the same")
    with pytest.raises(TooManyRequests):
        refuse("the same")
    for number in range(4):
        refuse(f"another {number}")
    with pytest.raises(TooManyRequests):
        refuse("one more")
    refuse("the same", "203.0.113.6")
    refuse("x", "2001:db8::1")
    for number in range(4):
        refuse(f"{number}", f"2001:db8::{number}")
    with pytest.raises(TooManyRequests):
        refuse("y", "2001:db8::ffff")
    clock.now += 1
    refuse("one more")


# Settings


@pytest.mark.parametrize(
    ("text", "expected"),
    [("100/s:400", Rate(100.0, 400)), ("30/min:60", Rate(0.5, 60)), (" 1/s:1 ", Rate(1.0, 1))],
)
def test_rates_as_text(text: str, expected: Rate) -> None:
    assert rate(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "100", "100/s", "100/s:", "/s:4", "100/h:400", "0/s:5", "5/s:0", "-1/s:5", "1.5/s:3", "1/s:1x", "٣/s:1"],
)
def test_rates_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match="100/s:400"):
        rate(text)
    if text:  # an empty setting is not set
        with pytest.raises(Exception, match="RATE_READ: expected a rate and a burst"):
            settings.load({}, {"RATE_READ": text})


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("MAX_CONNECTIONS_PER_USER", "0", "a number above 0"), ("MAX_CONNECTIONS_PER_ADDRESS", "many", "above 0"),
        ("TRUSTED_PROXIES", "10.0.0.1/8", "has host bits set"), ("TRUSTED_PROXIES", "proxy.example.com", "networks"),
        ("TRUSTED_PROXIES", "10.0.0.0/33", "networks"), ("ALLOWED_ORIGINS", "*", "such as https"),
        ("ALLOWED_ORIGINS", "null", "such as https"), ("ALLOWED_ORIGINS", "https://*.example.com", "such as https"),
        ("ALLOWED_ORIGINS", "https://", "such as https"), ("ALLOWED_ORIGINS", "https://a/b", "such as https"),
        ("ALLOWED_ORIGINS", "https://u@a", "such as https"), ("ALLOWED_ORIGINS", "ftp://a", "such as https"),
    ],
)  # fmt: skip
def test_settings_that_are_none(name: str, text: str, sentence: str) -> None:
    with pytest.raises(Exception, match=f"{name}: .*{sentence}"):
        settings.load({}, {name: text})


def test_settings_as_they_are_read(tmp_path: Path) -> None:
    chosen = load_settings(
        tmp_path, TRUSTED_PROXIES="10.0.0.0/8, ::1", ALLOWED_ORIGINS="https://App.Example.com", RATE_ADMIN="6/min:2"
    )
    assert [str(network) for network in chosen["trusted_proxies"]] == ["10.0.0.0/8", "::1/128"]
    assert chosen["allowed_origins"] == ("https://app.example.com",), "as browsers write it"
    assert chosen["rate_admin"] == Rate(0.1, 2)


def test_the_defaults_let_a_burst_through_in_time() -> None:
    """Nobody waits longer for a bucket to fill than a minute or two; but for the one that no owner has to wait for."""
    filling = {name: math.ceil(kind.burst / kind.per_second) for name, kind in KINDS.items()}
    assert filling.pop("guesses_strangers") <= 600
    assert all(seconds <= 200 for seconds in filling.values())
