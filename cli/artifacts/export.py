"""`xp artifact export`."""

from typing import Any

import click

from cli.store import data_dir_option, reading
from cli.written_files import force_option, written


@click.command("export")
@click.argument("artifact")
@click.argument("file")
@click.option(
    "--format", "form", type=click.Choice(["json", "csv", "markdown", "html"]), default="json", show_default=True,
    help="CSV of several tables is a zip archive.",
)  # fmt: skip
@click.option("--version", "number", type=click.IntRange(1), default=None, metavar="N", help="[default: the newest]")
@force_option
@data_dir_option
def command(artifact: str, file: str, form: Any, number: int | None, force: bool, data_dir: str | None) -> None:
    """Write an artifact as a file. FILE - is stdout.

    Example: xp artifact export ARTIFACT report.html --format html
    """
    from cli.artifacts.sources import source_of
    from server.artifacts.exporting import exported

    with reading(data_dir) as database:
        source = source_of(database, artifact, number)
    made = exported(source, form)
    with written(file, force=force) as out:
        out.write(made.body)
