"""What the server uses besides: the store of files, the scanner."""

from collections.abc import Iterator

from cli.doctor.check import Check
from cli.opening.blobs import location_of
from cli.settings import Settings
from storage.blobs.location import FolderLocation


def file_store(chosen: Settings) -> Iterator[Check]:
    import asyncio

    from actors.blobs import BlobStoreError
    from cli.opening.blobs import open_blobs

    where = location_of(chosen)
    if isinstance(where, FolderLocation) and not where.path.exists():
        yield Check("file store", True, f"{where}, created with the first file")
        return

    async def check() -> None:
        store = open_blobs(chosen)
        try:
            await store.check()
        finally:
            await store.close()

    try:
        asyncio.run(check())
    except BlobStoreError as error:
        yield Check("file store", False, f"{where} cannot be used", str(error))
    else:
        yield Check("file store", True, f"{where}: written, read and deleted a probe")


def backups(chosen: Settings) -> Iterator[Check]:
    """Whether each can be opened."""
    from actors.blobs import BlobStoreError
    from cli.database.shelved import shelf_location, shelf_of
    from storage.backups.locked import locked

    try:
        found = locked(shelf_of(chosen), chosen["backup_key"])
    except BlobStoreError as error:
        yield Check("backups", False, f"{shelf_location(chosen)} cannot be read", str(error))
        return
    if found is not None:
        advice = "Add it to BACKUP_KEY, after the present one and a comma; if it is lost, so are they: delete them."
        yield Check("backups", False, str(found), advice)


def scanner(chosen: Settings) -> Iterator[Check]:
    import asyncio

    from actors.scanner import ScannerUnavailable
    from server.outbound.scanner.location import parse
    from server.outbound.scanner.opening import open_scanner

    if chosen["scan_url"] is None:
        return
    try:
        yield Check("scanner", True, asyncio.run(open_scanner(parse(chosen["scan_url"])).check()))
    except ScannerUnavailable as error:
        yield Check("scanner", False, "It cannot be used: files stay in quarantine.", str(error))
