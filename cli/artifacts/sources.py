"""What `xp artifact` shows and exports: a version, with the data sets of its artifact."""

from typing import TYPE_CHECKING

from cli.store import everyone

if TYPE_CHECKING:
    from server.artifacts.exporting import Source
    from storage.database import Database


def source_of(database: "Database", artifact: str, number: int | None) -> "Source":
    """Raises `NotFound`."""
    from server.artifacts.exporting import Source
    from storage.resources.artifacts import data_sets
    from storage.resources.artifacts import reading as artifacts

    found = artifacts.one(database, everyone(), artifact, with_content=False)
    found, version = artifacts.version(database, everyone(), artifact, number or found.version)
    sets = data_sets.of_artifact(database, everyone(), artifact, with_rows=True)
    return Source(found, version, {each.name: each.table for each in sets})
