"""`xp artifact export`."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from cli.opening.database import data_dir_option, reading
from cli.terminal.numbers import Number
from cli.terminal.written_files import force_option, written

if TYPE_CHECKING:
    from server.artifacts.exporting import Source
    from server.artifacts.printing import Format
    from server.exports.exported import Exported


@click.command("export")
@click.argument("artifact")
@click.argument("file")
@click.option(
    "--format", "form", default="json", show_default=True,
    type=click.Choice(["json", "csv", "md", "markdown", "html", "pdf", "svg", "png"]),
    help="CSV of several tables, and pictures of several charts, are a zip archive.",
)  # fmt: skip
@click.option("--version", "number", type=Number(1), default=None, metavar="N", help="[default: the newest]")
@click.option("--chart", default=None, metavar="ID", help="Id or number of one chart, for svg and png.")
@click.option(
    "--fonts", default=None, type=click.Path(exists=True, file_okay=False, path_type=Path), envvar="FONT_DIR",
    metavar="FOLDER", help="Fonts for pdf, svg and png, beside the system's.  [FONT_DIR]",
)  # fmt: skip
@force_option
@data_dir_option
def command(
    artifact: str, file: str, form: str, number: int | None, chart: str | None, fonts: Path | None, force: bool,
    data_dir: str | None,
) -> None:  # fmt: skip
    """Write an artifact as a file. FILE - is stdout.

    Example: xp artifact export ARTIFACT report.html --format html
    """
    from cli import settings
    from cli.artifacts.sources import source_of, with_images

    with reading(data_dir) as database:
        source = source_of(database, artifact, number)
        if form in ("html", "pdf"):
            source = with_images(settings.load({"data_dir": data_dir}), database, source)
    made = asyncio.run(_made(source, form, chart, fonts))
    if made.missing_scripts is not None:
        click.echo(f"No font has all characters of: {made.missing_scripts}; --fonts names a folder of more.", err=True)
    if made.undrawn:
        click.echo(f"{made.undrawn} charts could not be drawn; their data stand in their place.", err=True)
    with written(file, force=force) as out:
        out.write(made.body)


async def _made(source: "Source", form: str, chart: str | None, fonts: Path | None) -> "Exported":
    from server.artifacts.printing import SHORT_NAMES, printed
    from server.exports.printer import Printer

    printer = Printer(fonts=fonts)
    try:
        named = cast("Format", SHORT_NAMES.get(form, form))  # the option takes no other
        return await printed(printer, source, named, chart)
    finally:
        await printer.close()
