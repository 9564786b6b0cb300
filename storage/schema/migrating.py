"""The schema's version: migrations applied under a lock, and a database that is newer than the code refused."""

import contextlib
import logging
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import peewee
from peewee import SqliteDatabase
from playhouse.migrations import Migration, MigrationError, Runner

import storage.schema
from actors.modules import import_ending
from storage.database import DatabaseProblem, plain_words
from storage.schema import compatibility

logger = logging.getLogger("storage.schema")
MODELS = tuple(model for module in import_ending(storage.schema, "models") for model in module.MODELS)
"""Every table."""
DIRECTORY = Path(__file__).with_name("migrations")


def runner(database: SqliteDatabase) -> Runner:
    return Runner(database, str(DIRECTORY))


def status(database: SqliteDatabase) -> list[Migration]:
    """Every migration known to the code or recorded in the database, in order.

    Without Peewee's runner: its model of the history takes a millisecond of each start, twice.
    """
    with plain_words(Path(database.database)):
        applied = _applied(database)
    known = [migration._replace(applied=applied.pop(migration.name, None)) for migration in _known()]
    return sorted([*known, *(Migration(_number(name), name, None, when) for name, when in applied.items())])


def _known() -> list[Migration]:
    return list(Migration.load_directory(str(DIRECTORY)))


def _applied(database: SqliteDatabase) -> dict[str, datetime]:
    """Name → when."""
    if not database.execute_sql("SELECT 1 FROM sqlite_master WHERE name = 'schema_migration'").fetchone():
        return {}
    rows = database.execute_sql("SELECT name, applied FROM schema_migration").fetchall()
    return {name: datetime.fromisoformat(when) for name, when in rows}


def _number(name: str) -> int:
    digits = re.match(r"\d+", name)
    return int(digits[0]) if digits else -1


def migrate(database: SqliteDatabase, path: Path, *, apply: bool = True) -> list[str]:
    """Bring the schema up to the code; answers the names applied. Raises `DatabaseProblem`."""
    with plain_words(path):
        migrations = status(database)
        must_be_ours(database, migrations, path)
        pending = [migration.name for migration in migrations if not migration.applied]
        if not pending:
            return []
        if not apply:
            raise DatabaseProblem(f"{path}: {len(pending)} migrations are pending; run `xp db migrate` first.")
        applied = _apply(database)
    is_new = len(applied) == len(migrations)
    logger.info("%s: %s", path, f"made, at {applied[-1]}" if is_new else f"brought up to date by {', '.join(applied)}")
    return applied


def rollback(database: SqliteDatabase, path: Path, steps: int) -> list[str]:
    """Undo the newest `steps` migrations, with all that they made; answers their names, newest first.

    Raises `DatabaseProblem`; then everything is as it was.
    """
    with plain_words(path):
        migrations = status(database)
        must_not_be_newer(migrations, path)
        applied = [migration.name for migration in migrations if migration.applied]
        if not 0 < steps <= len(applied):
            raise DatabaseProblem(f"{path}: {len(applied)} migrations are applied; {steps} of them cannot be undone.")
        with _in_one_transaction(database, "taken back"):
            undone = list(runner(database).down(applied[-steps]))
            compatibility.note(database, [migration for migration in status(database) if migration.applied])
            return undone


def must_be_ours(database: SqliteDatabase, migrations: list[Migration], path: Path) -> None:
    """Of this release, or of a newer one that says this one runs on it, too. Raises `DatabaseProblem`."""
    if not compatibility.runs_here(database):
        must_not_be_newer(migrations, path)


def must_not_be_newer(migrations: list[Migration], path: Path) -> None:
    unknown = [migration.name for migration in migrations if migration.path is None]
    if unknown:
        raise DatabaseProblem(
            f"{path}: written by a newer version of the server (it has {', '.join(unknown)}); "
            "upgrade the server, or point DATA_DIR at another folder."
        )


def _apply(database: SqliteDatabase) -> list[str]:
    with _in_one_transaction(database, "brought up to date"):
        applied = list(runner(database).up())
        compatibility.note(database, status(database))
        return applied


@contextlib.contextmanager
def _in_one_transaction(database: SqliteDatabase, what: str) -> Iterator[None]:
    """Two processes may start at once: the runner takes no lock, so the whole of it runs in one writing transaction."""
    try:
        with database.atomic("IMMEDIATE"):
            yield
    except (MigrationError, peewee.OperationalError, peewee.IntegrityError) as error:
        raise DatabaseProblem(f"The schema could not be {what}: {error}") from error
