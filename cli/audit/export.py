"""`xp audit export`."""

import codecs
import csv
from collections.abc import Callable, Iterable
from itertools import takewhile
from typing import IO, TYPE_CHECKING, Any

import click

from cli.opening.database import data_dir_option, reading
from cli.terminal.times import Moment
from cli.terminal.written_files import force_option, written

if TYPE_CHECKING:
    from actors.resources.audit import AuditEntry

COLUMNS = (
    "id", "at", "actor_id", "actor_name", "credential", "address", "user_agent", "correlation_id", "action",
    "target_kind", "target_id", "outcome", "reason", "before", "after", "about_id",
    "origin_salt", "origin_seal", "change_salt", "change_seal", "hash",
)  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula; some cells hold what strangers sent."""


@click.command("export")
@click.argument("file")
@click.option(
    "--format", "form", type=click.Choice(("ndjson", "csv")), default="ndjson", show_default=True,
    help="ndjson: the exact entries, one JSON object per line. csv: for spreadsheets.",
)  # fmt: skip
@click.option(
    "--before", type=Moment(), default=None, metavar="TIME",
    help="Only entries from before it, which AUDIT_DAYS removes first: 2026-11-29 (UTC), or 365d for so long ago.",
)  # fmt: skip
@force_option
@data_dir_option
def command(file: str, form: str, before: int | None, force: bool, data_dir: str | None) -> None:
    """Write the whole audit log, oldest entry first. FILE - is stdout.

    With --before it ends at the first entry that is not from before that time, so that the hashes in the file follow
    from each other.

    In CSV, cells that a spreadsheet would read as a formula begin with an apostrophe.

    Example: xp audit export audit.csv --format csv
    """
    from storage.resources.audit import reading as audit

    with written(file, force=force) as out, reading(data_dir) as database:
        entries = audit.oldest_first(database)
        FORMATS[form](out, entries if before is None else takewhile(lambda entry: entry.at < before, entries))


def _ndjson(out: IO[bytes], entries: "Iterable[AuditEntry]") -> None:
    import orjson

    from server.resources.audit.views import audit_view

    for entry in entries:
        out.write(orjson.dumps(audit_view(entry)) + b"\n")


def _csv(out: IO[bytes], entries: "Iterable[AuditEntry]") -> None:
    """As RFC 4180 has it."""
    from server.api.render import iso_time

    rows = csv.writer(codecs.getwriter("utf-8")(out))
    rows.writerow(COLUMNS)
    for entry in entries:
        fields: dict[str, Any] = {name: getattr(entry, name) for name in COLUMNS} | {"at": iso_time(entry.at)}
        rows.writerow(_cell(value) for value in fields.values())


def _cell(value: str | bytes | None) -> str:
    text = value.hex() if isinstance(value, bytes) else value or ""
    return f"'{text}" if text.startswith(FORMULA) else text


FORMATS: dict[str, Callable[[IO[bytes], Any], None]] = {"ndjson": _ndjson, "csv": _csv}
