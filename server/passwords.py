"""Passwords: argon2id, off the event loop, a few at a time."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from actors import limits
from actors.errors import Overloaded

if TYPE_CHECKING:
    from argon2 import PasswordHasher


class Passwords:
    """The library's own parameters (RFC 9106's second choice: 64 MiB, 3 passes, 4 lanes)."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(limits.PASSWORDS_AT_ONCE, thread_name_prefix="password")
        self._waiting = 0

    async def hash(self, password: str) -> str:
        """Raises `Overloaded` where too many wait."""
        return await self._run(password, None) or ""

    async def matches(self, password: str, known: str | None) -> bool:
        """Whether it is the one that was hashed. Without a hash it takes as long, so that nobody learns who has one.

        Raises `Overloaded` where too many wait.
        """
        found = await self._run(password, known or _DECOY)
        return found is not None and known is not None

    async def _run(self, password: str, known: str | None) -> str | None:
        if self._waiting >= limits.PASSWORDS_WAITING:
            raise Overloaded(f"{self._waiting} sign-ins are being checked; retry in a moment.")
        self._waiting += 1
        try:
            work = self._executor.submit(_hash_or_check, password, known)
            return await asyncio.wrap_future(work)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)


_DECOY = f"$argon2id$v=19$m=65536,t=3,p=4${'A' * 22}${'A' * 43}"
"""A hash, by the library's parameters, of no password that anybody knows."""


def _hasher() -> "PasswordHasher":
    from argon2 import PasswordHasher  # here, because a server where nobody has a password need not load it

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
