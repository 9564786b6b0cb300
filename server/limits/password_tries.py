"""Wrong passwords slow down the attacker, not the owner of the account.

Tries are counted by place: an address, or its network. A place may try a few wrong passwords for each account, and some
for all accounts together; all places that are new to an account share an allowance for it, which no single one of them
can use up. A place from which the owner has signed in before has an allowance of its own, so that no other place can
lock the owner out. A correct password consumes none of them. See `docs/design/access.md`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from server.http.headers.peers import rate_limit_network
from server.limits.rate_limits import RateLimiter, Subject

Draws = tuple[tuple[str, Subject], ...]
"""(kind, subject) of every allowance that a wrong password takes from."""


def draws(account: str, place: str, *, is_familiar: bool) -> Draws:
    """`account`: a user's id, or an e-mail address of no user."""
    if is_familiar:
        return (("guesses_familiar", (account, place)),)
    return (
        ("guesses", (account, place)),
        ("guesses_place", place),
        ("guesses_strangers", account),
    )


class PasswordTries:
    def __init__(self, limiter: RateLimiter | None) -> None:
        """Without a limiter nothing is counted."""
        self._limiter = limiter
        self._turns: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def one(self, account: str, address: str, familiar: frozenset[str]) -> AsyncIterator[Callable[[], None]]:
        """A try, which is over with the block; call what it gives where the password was wrong.

        Tries of one account from one place take turns: a hundred at once are no more than one after another.
        `familiar`: addresses from which the owner has signed in. Raises `TooManyRequests`.
        """
        place = rate_limit_network(address)
        is_familiar = place in map(rate_limit_network, familiar)
        async with self._turn(account, place):
            yield self._counting(draws(account, place, is_familiar=is_familiar))

    @asynccontextmanager
    async def by_credential(self, account: str, credential: str) -> AsyncIterator[Callable[[], None]]:
        """The same for an authenticated user: a credential is a place of its own."""
        async with self._turn(account, credential):
            yield self._counting((("guesses", (account, credential)),))

    def _turn(self, account: str, place: str) -> asyncio.Lock:
        return self._turns.setdefault((account, place), asyncio.Lock())

    def _counting(self, taken_from: Draws) -> Callable[[], None]:
        limiter = self._limiter
        if limiter is None:
            return lambda: None
        for kind, subject in taken_from:
            limiter.policy(kind).check(subject)

        def wrong() -> None:
            for kind, subject in taken_from:
                limiter.policy(kind).count(subject)

        return wrong
