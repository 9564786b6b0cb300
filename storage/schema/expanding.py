"""Bringing the schema up to a newer release while the older one still runs: expand first, contract later."""

from storage.database import DatabaseOptions, DatabaseProblem, open_writer
from storage.schema import check, compatibility
from storage.schema import migrating as schema


def expand(options: DatabaseOptions, running: str) -> list[str]:
    """Apply what is pending beside a server of the release `running`; answers the names. What `check` compares with is
    ready after it, so that the store opens in an instant.

    Raises `DatabaseProblem` where that would take away what the running release reads, or the database is newer.
    """
    path, database = options.path, open_writer(options)
    try:
        pending = [migration for migration in schema.status(database) if not migration.applied]
        if early := compatibility.too_early(pending, running):
            raise DatabaseProblem(
                f"{path}: {', '.join(early)} takes away what the running release {running} reads, so both cannot run "
                "side by side; stop the server and start the new one instead, or deploy a release in between first."
            )
        applied = schema.migrate(database, path)
        check.must_be_ours(database, path)
        return applied
    finally:
        database.close()
