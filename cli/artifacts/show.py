"""`xp artifact show`."""

import click

from cli.opening.database import data_dir_option, everyone, reading
from cli.terminal.console import json_option, plain, print_json


@click.command("show")
@click.argument("artifact")
@data_dir_option
@json_option
def command(artifact: str, data_dir: str | None, as_json: bool) -> None:
    """Show an artifact with its content, as Markdown.

    Example: xp artifact show ARTIFACT
    """
    from cli.artifacts.sources import source_of
    from server.artifacts.exporting import exported
    from server.resources.artifacts import rendering
    from storage.resources.artifacts import reading as artifacts

    with reading(data_dir) as database:
        found = artifacts.one(database, everyone(), artifact)
        source = source_of(database, artifact, None)
    if as_json:
        print_json(rendering.artifact(found))
    else:
        click.echo(plain(source.about))
        click.echo()
        click.echo("\n".join(map(plain, exported(source, "markdown").body.decode().split("\n"))), nl=False)
