"""Rate limits: a bucket for each user or address, and for each kind of operation.

A user has one set of buckets, whatever they come by: tokens, sessions and API keys, REST and WebSockets all draw from
it. So a new key is no new allowance.

Their headers over REST follow draft-ietf-httpapi-ratelimit-headers-11 (`RateLimit`, `RateLimit-Policy`), beside the
three older ones that most clients read. Confined to the event loop.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, MutableMapping
from typing import Final

from aiohttp import web
from multidict import istr

from actors import limits
from actors.auth.identity import Identity
from actors.errors import TooManyRequests
from server.http.headers.peers import rate_limit_network
from server.limits.rate_classes import Limited
from server.limits.token_bucket import Rate, TokenBucket, rate

Subject = int | str | tuple[str, ...]
"""Whose bucket: a user's key, an address, or one of these with what it is for."""

_POLICY: Final = istr("RateLimit-Policy")
_STATE: Final = istr("RateLimit")
_LIMIT: Final = istr("RateLimit-Limit")
_REMAINING: Final = istr("RateLimit-Remaining")
_RESET: Final = istr("RateLimit-Reset")

KINDS: Final[Mapping[str, Rate]] = {
    "read": rate(limits.RATE_READ),
    "write": rate(limits.RATE_WRITE),
    "admin": rate(limits.RATE_ADMIN),
    "audited": rate(limits.RATE_AUDITED),
    "costly": rate(limits.RATE_COSTLY),
    "auth": rate(limits.RATE_AUTH),
    "sign_in": rate(limits.RATE_SIGN_IN),
    "guesses": rate(limits.RATE_GUESSES),
    "guesses_familiar": rate(limits.RATE_GUESSES_FAMILIAR),
    "guesses_place": rate(limits.RATE_GUESSES_PLACE),
    "guesses_strangers": rate(limits.RATE_GUESSES_STRANGERS),
    "refused": rate(limits.RATE_REFUSED),
}


class Policy:
    """One kind of bucket: its rate, and the buckets of its subjects. An unknown subject has a full one."""

    __slots__ = ("_buckets", "_clock", "_subjects", "burst", "describing", "name", "rate", "refused", "spacing")

    def __init__(self, name: str, rate: Rate, clock: Callable[[], float], subjects: int) -> None:
        self.name = name
        self.rate = rate.per_second
        self.burst = str(rate.burst)
        self.spacing = math.ceil(1 / rate.per_second)
        """Seconds until an empty bucket has one more, at most."""
        self.describing = f'"{name}";q={rate.burst};w={math.ceil(rate.burst / rate.per_second)}'
        """The draft's `RateLimit-Policy`: a quota, and the seconds in which it fills."""
        self._clock = clock
        self._subjects = subjects
        self.refused = 0
        """Since the start."""
        self._buckets: OrderedDict[Subject, TokenBucket] = OrderedDict()

    def take(self, subject: Subject) -> int:
        """Take one; answers how many are left. Raises `TooManyRequests`."""
        now = self._clock()
        bucket = self._bucket(subject, now)
        left = bucket.take_at(now)
        if left < 0:
            self.refused += 1
            raise self._refusal(bucket.wait(now))
        return left

    def check(self, subject: Subject) -> None:
        """Raises `TooManyRequests` where there is none left; takes none."""
        try:
            self.look(subject)
        except TooManyRequests:
            self.refused += 1
            raise

    def look(self, subject: Subject) -> None:
        """The same for who only asks: no request is refused."""
        bucket = self._buckets.get(subject)
        if bucket is not None and (seconds := bucket.wait(self._clock())) > 0:
            raise self._refusal(seconds)

    def count(self, subject: Subject) -> None:
        """Take one if there is one."""
        now = self._clock()
        self._bucket(subject, now).take_at(now)

    def give_back(self, subject: Subject) -> None:
        """One that was taken for what does not count after all."""
        bucket = self._buckets.get(subject)
        if bucket is not None:
            bucket.put_back()

    def _bucket(self, subject: Subject, now: float) -> TokenBucket:
        bucket = self._buckets.get(subject)
        if bucket is not None:
            self._buckets.move_to_end(subject)
            return bucket
        bucket = self._buckets[subject] = TokenBucket(self.rate, float(self.burst), now)
        if len(self._buckets) > self._subjects:
            self._buckets.popitem(last=False)
        return bucket

    def _refusal(self, seconds: float) -> TooManyRequests:
        wait = max(1, math.ceil(seconds - 1e-6))
        headers: dict[str, str] = {}
        self.tell(headers, 0, wait)
        return TooManyRequests(
            f"At most {self.burst} requests of the kind `{self.name}` at once, then {_pace(self.rate)}; "
            f"there is room for the next one in {wait} s.",
            retry_after=wait, headers=headers,
        )  # fmt: skip

    def tell(self, headers: MutableMapping[str, str], left: int, seconds: int) -> None:
        """How many are left, and the seconds until there is another."""
        headers[_POLICY] = self.describing
        headers[_STATE] = f'"{self.name}";r={left};t={seconds}'
        headers[_LIMIT] = self.burst
        headers[_REMAINING] = str(left)
        headers[_RESET] = str(seconds)

    def __contains__(self, subject: Subject) -> bool:
        return subject in self._buckets

    def __len__(self) -> int:
        return len(self._buckets)


def _pace(rate: float) -> str:
    return f"{rate:g} a second" if rate >= 1 else f"{rate * 60:g} a minute"


class RateLimiter:
    """All policies."""

    def __init__(
        self,
        rates: Mapping[str, Rate] | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        subjects: int = limits.RATE_SUBJECTS,
    ) -> None:
        """`rates` replaces some of the defaults, by kind."""
        chosen = {**KINDS, **(rates or {})}
        self._policies = {kind: Policy(kind, rate, clock, subjects) for kind, rate in chosen.items()}

    def refused(self) -> Mapping[str, int]:
        """Kind → requests refused since the start."""
        return {kind: policy.refused for kind, policy in self._policies.items()}

    def policy(self, kind: str) -> Policy:
        return self._policies[kind]

    def take(self, kind: str, subject: Subject) -> int:
        """Take one; answers how many are left. Raises `TooManyRequests`."""
        return self._policies[kind].take(subject)

    def give_back(self, operation: str, address: str) -> None:
        """An attempt to sign in by this operation counts only where it was no good."""
        self._policies["auth"].give_back((operation, rate_limit_network(address)))

    def check_token(self, token: str, address: str) -> None:
        """Before a token is judged: raises `TooManyRequests` where too many from there, or this one too often, were no
        good."""
        refused, network = self._policies["refused"], rate_limit_network(address)
        refused.check(network)
        refused.check(hash((network, token)))

    def token_refused(self, token: str, address: str) -> None:
        """Different tokens count for their address: that is guessing. The same one again counts only for itself, so
        that one client that keeps trying does not stop others at its address from signing in."""
        refused, network = self._policies["refused"], rate_limit_network(address)
        same = hash((network, token))
        if same not in refused:
            refused.count(network)
        refused.count(same)


def owner(who: Identity) -> Subject:
    """A user, by whichever of their credentials."""
    return who.user.key


def subject_of(operation: Limited, who: Identity | None, find_address: Callable[[], str]) -> Subject:
    """Whose rate a request draws from: the user's, or the address's where no identity is asked for."""
    if operation.access in ("open", "optional"):
        return place_of(operation, find_address())
    assert who is not None
    return owner(who)


def place_of(operation: Limited, address: str) -> Subject:
    """Ways of signing in are apart: wrong passwords from an address do not keep sessions there from being refreshed."""
    place = rate_limit_network(address)
    return (operation.name, place) if operation.rate == "auth" else place


# REST

TAKEN: Final = web.RequestKey("rate_limits.taken", tuple[Policy, int])
"""From which policy a request drew, and how many are left."""


def draw(policy: Policy, request: web.Request, subject: Subject) -> None:
    """Take one for a request; its answer says what is left, whatever becomes of it. Raises `TooManyRequests`."""
    request[TAKEN] = (policy, policy.take(subject))


def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """For every response, before it is sent; a refusal has set them already."""
    taken = request.get(TAKEN)
    if taken is not None:
        policy, left = taken
        policy.tell(response.headers, left, policy.spacing)
