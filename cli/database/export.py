"""`xp db export`."""

from pathlib import Path

import click

from actors import limits
from cli.opening.database import database_options, reading
from cli.terminal.console import count, progress_bar
from cli.terminal.written_files import force_option, must_be_free, written


def _hex(value: object) -> str:
    """Hashes and salts are bytes."""
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(type(value).__name__)


@click.command("export")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@force_option
@database_options
def command(folder: Path, force: bool, data_dir: str | None) -> None:
    """Write every table as JSON lines: one file per table, one line per row, from one consistent snapshot.

    Example: xp db export ./export
    """
    import orjson

    from storage.maintenance import inspection

    files = {name: folder / f"{name}.jsonl" for name in inspection.names()}
    for file in files.values():
        must_be_free(file, force=force)
    with reading(data_dir) as database, progress_bar("exporting") as progress:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        total, done = sum(inspection.row_count(database, name) for name in files), 0
        for name, file in files.items():
            with written(str(file), force=force) as lines:
                for row in inspection.rows_of(database, name):
                    lines.write(orjson.dumps(row, default=_hex) + b"\n")
                    done += 1
                    if done % limits.XP_PROGRESS_ROWS == 0:
                        progress(done, total)
    click.echo(f"Wrote {count(total, 'row')} of {count(len(files), 'table')} to {folder}.")
