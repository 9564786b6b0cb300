"""Passwords: argon2id, off the event loop, a few at a time. Those from different addresses take turns."""

import asyncio
from collections import OrderedDict, deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from actors import limits
from actors.errors import Overloaded
from server.http.headers.peers import rate_limit_network

if TYPE_CHECKING:
    from argon2 import PasswordHasher


class Turns:
    """A bounded number at once; waiting tries take turns by place, so that many from one place do not delay others."""

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    async def begin(self, place: str) -> None:
        """Wait for a turn; the caller ends it by `end`. Raises `Overloaded` where too many wait."""
        if self._free:
            self._free -= 1
            return
        line = self._waiting.setdefault(place, deque())
        if len(line) >= limits.PASSWORDS_WAITING or self.waiting >= limits.PASSWORDS_WAITING_IN_ALL:
            self._drop_empty(place)
            raise Overloaded(f"{self.waiting} sign-ins are in progress; retry in a moment.")
        turn = asyncio.get_running_loop().create_future()
        line.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.end()
            else:
                line.remove(turn)
                self._drop_empty(place)
            raise

    def end(self) -> None:
        """The next one: the first in the line of the place that was served longest ago."""
        while self._waiting:
            place, line = self._waiting.popitem(last=False)
            turn = line.popleft()
            if line:
                self._waiting[place] = line
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    @property
    def waiting(self) -> int:
        return sum(map(len, self._waiting.values()))

    def _drop_empty(self, place: str) -> None:
        if not self._waiting.get(place, True):
            del self._waiting[place]


class Passwords:
    """The library's own parameters (RFC 9106's second choice: 64 MiB, 3 passes, 4 lanes)."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(limits.PASSWORDS_AT_ONCE, thread_name_prefix="password")
        self._turns = Turns(limits.PASSWORDS_AT_ONCE)

    async def hash(self, password: str, address: str) -> str:
        """`address`: from where it is asked. Raises `Overloaded` where too many wait."""
        return await self._run(password, None, address) or ""

    async def matches(self, password: str, known: str | None, address: str) -> bool:
        """Whether it is the one that was hashed. Without a hash it takes as long, so that timing does not show which
        users have one.

        Raises `Overloaded` where too many wait.
        """
        found = await self._run(password, known or _DECOY, address)
        return found is not None and known is not None

    async def _run(self, password: str, known: str | None, address: str) -> str | None:
        await self._turns.begin(rate_limit_network(address))
        work = asyncio.wrap_future(self._executor.submit(_hash_or_check, password, known))
        work.add_done_callback(lambda _: self._turns.end())  # not before the work is done, even if the caller has gone
        return await asyncio.shield(work)

    def close(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)


_DECOY = f"$argon2id$v=19$m=65536,t=3,p=4${'A' * 22}${'A' * 43}"
"""A hash, by the library's parameters, of no password that is known."""


def _hasher() -> "PasswordHasher":
    from argon2 import PasswordHasher  # here, because a server without passwords need not load it

    return PasswordHasher()


def _hash_or_check(password: str, known: str | None) -> str | None:
    """The hash of a password; with a known one that hash where it matches, None where it does not."""
    from argon2.exceptions import VerificationError

    hasher = _hasher()
    text = password.encode(errors="surrogatepass")
    if known is None:
        return hasher.hash(text)
    try:
        hasher.verify(known, text)
    except VerificationError:
        return None
    return known
