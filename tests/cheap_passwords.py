"""Argon2 at its least cost. At its full one each password takes a quarter of a second of a core, and most tests that
have passwords are about something else."""

from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher

from server.auth import passwords

_full_cost = (passwords._hasher, passwords._DECOY)


def use() -> None:
    """From now on, for all servers of this process."""
    passwords._hasher = lambda: PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    passwords._DECOY = f"$argon2id$v=19$m=8,t=1,p=1${'A' * 22}${'A' * 43}"


@pytest.fixture
def full_cost() -> Iterator[None]:
    """As in production, for one test."""
    passwords._hasher, passwords._DECOY = _full_cost
    yield
    use()
