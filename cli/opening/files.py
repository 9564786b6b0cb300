"""Files as an operator wants them: where their bytes are, how large they may be, what is taken."""

from pathlib import Path

import click

from actors import limits
from actors.blobs import BlobStoreError
from actors.journal.actor import Journal
from actors.queries import Reads
from actors.resources.files.file import Quotas
from actors.resources.files.retention import Retention
from cli.opening.blobs import open_blobs
from cli.settings import Settings
from server.files.file_rules import FileRules
from server.files.library import Library
from server.files.processing import Processing
from server.previews.convert_command import parse_convert_command
from server.previews.previewer import Previewer

UPLOADS = "uploads"
"""Folder in DATA_DIR of what is not complete."""
WORK = "work"
"""Folder in DATA_DIR of what is being scanned and shown; nothing in it lasts."""


def file_rules(chosen: Settings) -> FileRules:
    return FileRules(
        limit=chosen["file_bytes"], allowed=chosen["file_types"], blocked=chosen["file_types_blocked"],
        scans=chosen["scan_url"] is not None, previews=chosen["previews"],
        quotas=Quotas(user=chosen["quota_user"], thread=chosen["quota_thread"], server=chosen["quota_server"]),
        retention=retention(chosen),
    )  # fmt: skip


def retention(chosen: Settings) -> Retention:
    return Retention(chosen["file_versions"], chosen["file_unused_days"], chosen["file_pending_days"])


def open_library(chosen: Settings, rules: FileRules, journal: Journal, reads: Reads) -> Library:
    """Raises `click.ClickException` where the store cannot be used."""
    folder: Path = chosen["data_dir"] / UPLOADS
    folder.mkdir(mode=0o700, exist_ok=True)

    try:
        return Library(
            open_blobs(chosen), folder, reads, journal.append, rules,
            redirect_seconds=limits.REDIRECT_SECONDS if chosen["blob_redirect"] else None,
        )  # fmt: skip
    except BlobStoreError as error:
        raise click.ClickException(f"BLOB_URL: {error}") from error


def open_processing(chosen: Settings, library: Library) -> Processing:
    """Scans and previews, as far as they are wanted."""
    scanner = None
    if chosen["scan_url"] is not None:
        from server.outbound.scanner.location import parse
        from server.outbound.scanner.opening import open_scanner

        scanner = open_scanner(parse(chosen["scan_url"]))
    previewer = _previewer(chosen) if chosen["previews"] else None
    if previewer is not None:
        previewer.start()
    folder: Path = chosen["data_dir"] / WORK
    return Processing(library, folder, scanner=scanner, previewer=previewer, must_scan=chosen["scan_required"])


def _previewer(chosen: Settings) -> Previewer:
    return Previewer(workers=chosen["preview_workers"], convert=parse_convert_command(chosen["office_command"]))
