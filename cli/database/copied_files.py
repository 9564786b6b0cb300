"""The files of a backup: their bytes are copied beside it, or stay in the store where it finds them again."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from actors import limits
from cli import settings
from cli.opening.database import names_another_database
from cli.settings import Settings
from cli.terminal.console import Progress, count, size

if TYPE_CHECKING:
    from actors.blobs import BlobCopies
    from storage.backups.keys import SealingKey
    from storage.backups.restore_check import Rehearsed
    from storage.blobs.location import Location
    from storage.maintenance.blob_copies import Copied, Named

REFERENCE, NONE = "reference", "none"
BESIDE = ".files"
"""After the name of the backup: the folder of copies."""
WORK = "work"
"""Folder in DATA_DIR whose contents do not last: a server that starts empties it."""


def files_option(help_text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return click.option("--files", "files", default=None, metavar="WHERE", help=help_text)


@dataclass
class CopiedFiles:
    """Goes along with a copy of a database (`copying.Along`), and remembers what came of it."""

    chosen: Settings
    where: "Location | str"
    """A store of copies, `reference` or `none`."""
    progress: Progress
    force: bool = False
    """What is missing stops no restore."""
    found: "Copied | None" = None
    sealed_by: "tuple[SealingKey, ...]" = ()
    """Keys that encrypt the copies; none: copies are as the files are."""

    def back_up(self, database: Path) -> None:
        from storage.maintenance.blob_copies import named_in

        named = named_in(database)
        if self.where != NONE and named:
            self.found = asyncio.run(self._back_up(named, database.parent))

    def copy(self, named: "list[Named]", staging: Path) -> None:
        """Of a database that is not at hand."""
        self.found = asyncio.run(self._back_up(named, staging))

    def bring_back(self, database: Path) -> None:
        """Before the database takes its place: a row never names bytes that are not there yet."""
        from storage.maintenance.blob_copies import named_in

        named = named_in(database)
        if self.where != NONE and named:
            self.found = asyncio.run(self._bring_back(named, self.chosen["data_dir"] / WORK))
            if not self.found.is_whole and not self.force:
                lost = len(self.found.missing) + len(self.found.damaged)
                raise click.ClickException(
                    f"{count(lost, 'blob')} of {len(named):,} that the backup names cannot be had, the first: "
                    f"{(self.found.missing + self.found.damaged)[0]}. Name their copies by --files, or restore what "
                    "there is by --force."
                )

    async def _back_up(self, named: "list[Named]", staging: Path) -> "Copied":
        from storage.maintenance.blob_copies import copy_named

        if isinstance(self.where, str):
            return await self._look_for(named)
        # By the present key alone: what an earlier one has sealed goes with the backups that were made by it.
        source, target = self._open(None), self._open_copies(self.where, self.sealed_by[:1])
        try:
            return await copy_named(named, source, target, staging=staging, progress=self._tell(named))
        finally:
            await source.close()
            await target.close()

    def look_for(self, database: Path) -> None:
        """Copy nothing: are the files that it names where a restore looks for them?"""
        from storage.maintenance.blob_copies import named_in

        named = named_in(database)
        if self.where != NONE and named:
            self.found = asyncio.run(self._look_for(named))

    async def _look_for(self, named: "list[Named]") -> "Copied":
        from storage.maintenance.blob_copies import find_named

        store = self._open(None) if isinstance(self.where, str) else self._open_copies(self.where, self.sealed_by)
        try:
            return await find_named(named, store, progress=self._tell(named))
        finally:
            await store.close()

    async def _bring_back(self, named: "list[Named]", staging: Path) -> "Copied":
        from storage.maintenance.blob_copies import copy_named

        if isinstance(self.where, str):
            return await self._back_up(named, staging)
        source, target = self._open_copies(self.where, self.sealed_by), self._open(None)
        is_local = target.local_path(named[0][0]) is not None  # a bucket verifies what it keeps by itself
        tell = self._tell(named)
        try:
            return await copy_named(named, source, target, staging=staging, reads_back=is_local, progress=tell)
        finally:
            await source.close()
            await target.close()

    def _open(self, location: "Location | None") -> "BlobCopies":
        from cli.opening.blobs import open_blobs

        return open_blobs(self.chosen, location)

    def _open_copies(self, location: "Location", keys: "tuple[SealingKey, ...]") -> "BlobCopies":
        from cli.opening.blobs import open_blobs
        from storage.backups.sealed_blobs import SealedBlobs

        return SealedBlobs(open_blobs(self.chosen, location), keys) if keys else self._open(location)

    def _tell(self, named: "list[Named]") -> "Callable[[Copied], None]":
        def tell(now: "Copied") -> None:
            self.progress(now.copied + now.there + len(now.missing) + len(now.damaged), len(named))

        return tell

    @property
    def is_whole(self) -> bool:
        return self.found is None or self.found.is_whole

    @property
    def document(self) -> dict[str, Any] | None:
        """None where there are no files, or none were wanted."""
        from dataclasses import asdict

        return {"where": str(self.where), **asdict(self.found)} if self.found is not None else None

    def tell(self, verb: str) -> None:
        found = self.found
        if found is None:
            return
        if isinstance(self.where, str):
            click.echo(f"{count(found.there, 'blob')} of files found in the store; none is copied.")
        else:
            there = f"; {found.there:,} were there already" if found.there else ""
            click.echo(f"{verb} {count(found.copied, 'blob')} of files ({size(found.bytes)}){there}.")
        for kind, digests in (("missing", found.missing), ("damaged", found.damaged)):
            for digest in digests[: limits.XP_FILES_NAMED]:
                click.echo(f"{kind} in the store: {digest}; `xp files check` names the files.", err=True)
            if len(digests) > limits.XP_FILES_NAMED:
                click.echo(f"… and {len(digests) - limits.XP_FILES_NAMED:,} more {kind}; --json lists all.", err=True)


def for_backup(file: Path, given: str | None, chosen: Settings, progress: Progress) -> CopiedFiles:
    """By copy where files are in a folder, by reference where they are in S3, unless something else is chosen."""
    from cli.opening.blobs import location_of
    from storage.blobs.location import FolderLocation

    if given is not None:
        return CopiedFiles(chosen, _chosen(given, chosen), progress)
    if names_another_database():
        return CopiedFiles(chosen, NONE, progress)
    is_folder = isinstance(location_of(chosen), FolderLocation)
    return CopiedFiles(chosen, FolderLocation(beside(file)) if is_folder else REFERENCE, progress)


@dataclass(frozen=True, slots=True)
class OpenedBackup:
    """What a restore is given, as a plain database."""

    name: str
    database: Path
    copies: "Location | None" = None
    """Where the copies of its files are, if the backup is from a shelf."""
    is_sealed: bool = False
    rehearsed: "Rehearsed | None" = None
    """How far it goes, and was checked, if it is the newest state of a shelf."""


def for_restore(
    backup: OpenedBackup, given: str | None, chosen: Settings, progress: Progress, *, force: bool
) -> CopiedFiles:
    """From the copies of the shelf or the folder beside the backup, where there are such; else they have to be in the
    store."""
    from storage.blobs.location import FolderLocation

    keys = chosen["backup_key"] if backup.is_sealed else ()
    if given is not None:
        return CopiedFiles(chosen, _chosen(given, chosen), progress, force, sealed_by=keys)
    if backup.copies is not None:
        return CopiedFiles(chosen, backup.copies, progress, force, sealed_by=keys)
    if beside(backup.database).is_dir():
        return CopiedFiles(chosen, FolderLocation(beside(backup.database)), progress, force)
    return CopiedFiles(chosen, NONE if names_another_database() else REFERENCE, progress, force)


def beside(file: Path) -> Path:
    if not file.name:
        raise click.ClickException(f"{file}: this is a folder; name a file.")
    return file.with_name(file.name + BESIDE)


def _chosen(given: str, chosen: Settings) -> "Location | str":
    from cli.opening.blobs import location_of, with_region
    from storage.blobs.location import parse

    if given in (REFERENCE, NONE):
        return given
    try:
        location = with_region(parse(given), chosen)
    except ValueError as error:
        raise click.BadParameter(f"{error}; or {REFERENCE}, or {NONE}.", param_hint="--files") from None
    if location == location_of(chosen):
        raise click.BadParameter("expected another store than the one that is used now.", param_hint="--files")
    return location


def load(data_dir: str | None) -> Settings:
    return settings.load({"data_dir": data_dir})
