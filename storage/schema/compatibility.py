"""Which releases run on a schema: expand first, contract later.

A release may only add to the schema that the release before it reads; it takes away what no release in use reads any
more. So two releases run on one database while one hands over to the other, and the older one can come back. A
migration that takes something away names the oldest release whose code does without it:

    OLDEST_RELEASE = "0.3.0"

The newest of these stands in the database (`PRAGMA user_version`), for releases that know nothing of that migration.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

from peewee import SqliteDatabase
from playhouse.migrations import Migration

FIRST: Final = 1_000
"""Release 0.1.0, from which on releases run on schemas of newer ones; 0 in a database says nothing."""
_DECLARED = re.compile(r'^OLDEST_RELEASE = "(\d+\.\d+\.\d+)"', re.MULTILINE)


def number(release: str) -> int:
    """Of `1.2.3`, to compare and to store; what follows (`rc1`) makes no difference."""
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", release)
    if found is None:
        raise ValueError(f"expected a release such as 1.2.3; got {release!r}")
    major, minor, patch = map(int, found.groups())
    return major * 1_000_000 + minor * 1_000 + patch


@cache
def own_release() -> str:
    return version("experience-server")


def declared(migration: Migration) -> str | None:
    """The oldest release that runs on the schema after it; None where that makes no difference to any."""
    found = _DECLARED.search(Path(migration.path).read_text())
    return found and found[1]


def note(database: SqliteDatabase, migrations: Iterable[Migration]) -> None:
    """Write down which releases run on the schema after these; in the transaction of the caller. What a migration of a
    newer release demands stands only in the database, and stays."""
    known = list(migrations)
    releases = [found for migration in known if migration.path and (found := declared(migration))]
    stands = _oldest(database) if any(migration.path is None for migration in known) else FIRST
    database.execute_sql(f"PRAGMA user_version = {max([FIRST, stands, *map(number, releases)])}")


def runs_here(database: SqliteDatabase) -> bool:
    """Whether this release runs on a schema that has migrations of a newer one."""
    return FIRST <= _oldest(database) <= number(own_release())


def _oldest(database: SqliteDatabase) -> int:
    return int(database.execute_sql("PRAGMA user_version").fetchone()[0])


def too_early(pending: Sequence[Migration], running: str) -> list[str]:
    """Names of the migrations that take away what a running release reads."""
    return [m.name for m in pending if (oldest := declared(m)) and number(oldest) > number(running)]
