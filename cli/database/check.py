"""`xp db check`."""

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from actors import limits
from cli import settings
from cli.opening.database import database_options, names_another_database, reading
from cli.terminal.console import count, json_option, plain, print_json, progress_bar
from cli.terminal.ending import interruptible

if TYPE_CHECKING:
    from storage.maintenance.integrity import Finding

STORE = "the store of files"


@click.command("check")
@click.option(
    "--files/--no-files", default=None,
    help="Whether all blobs are in the store of files.  [default: with the database of DATA_DIR]",
)  # fmt: skip
@database_options
@json_option
@click.pass_context
def command(ctx: click.Context, files: bool | None, data_dir: str | None, as_json: bool) -> None:
    """Check the invariants of the database; exit code 1 if one is violated.

    The file, references, logs without gaps, counts, numbers, read markers, empty tombstones; and that each blob is in
    the store, with its size. `xp files check` also reads them.

    Example: xp db check
    """
    from storage.maintenance import integrity

    wanted = files if files is not None else not names_another_database()
    total = integrity.CHECKS + int(wanted)
    checks, findings = 0, []
    with interruptible(), progress_bar("checking") as progress:
        for checks, finding in enumerate(_findings(data_dir, with_files=wanted), 1):
            progress(checks, total)
            if finding is not None:
                findings.append(finding)
    if as_json:
        print_json([{"check": f.check, "count": f.count, "examples": f.examples} for f in findings])
    for finding in () if as_json else findings:
        click.echo(f"{finding.check}: {count(finding.count, 'finding')}")
        for example in finding.examples:
            click.echo(f"    {plain(example)}")
        if finding.count > len(finding.examples):
            click.echo(f"    … and {finding.count - len(finding.examples):,} more")
    if not as_json and not findings:
        click.echo(f"All {checks} checks passed.")
    ctx.exit(1 if findings else 0)


def _findings(data_dir: str | None, *, with_files: bool) -> "Iterator[Finding | None]":
    from storage.maintenance import integrity

    with reading(data_dir) as database:
        for _, finding in integrity.check(database):
            yield finding
    if with_files:
        yield _in_store(data_dir)


def _in_store(data_dir: str | None) -> "Finding | None":
    """A store that cannot be asked is a finding: of a database whose files are out of reach."""
    from actors.blobs import BlobError
    from cli.files.check import compared, records_of, sentence
    from storage.maintenance.integrity import Finding

    chosen = settings.load({"data_dir": data_dir})
    records = records_of(chosen)
    try:
        found = asyncio.run(compared(chosen, records, hashes=False, progress=lambda _, __: None))
    except BlobError as error:
        return Finding(STORE, 1, (f"It could not be looked at: {error}",))
    wrong = [*(("missing", each) for each in found.missing), *(("of another size", each) for each in found.damaged)]
    examples = tuple(
        f"A blob is {what}: {sentence(records, digest)}" for what, digest in wrong[: limits.FINDINGS_SHOWN]
    )
    return Finding(STORE, len(wrong), examples) if wrong else None
