"""`xp files rotate-key`."""

import click

from cli import settings
from cli.files.options import folder_of
from cli.opening.database import writing
from cli.terminal.console import json_option, print_json


@click.command("rotate-key")
@click.option("--keep-previous", is_flag=True, help="URLs signed before stay valid until they expire.")
@settings.options("data_dir")
@json_option
def command(keep_previous: bool, as_json: bool, **flags: str | None) -> None:
    """Revoke all signed URLs: a new key signs from now on, also on a running server.

    With --keep-previous the URLs made with the key before stay valid until they expire or the key is rotated again:
    for a change by routine.

    Example: xp files rotate-key
    """
    from server.files.downloads import url_keys

    chosen = settings.load(flags)
    with writing(folder_of(chosen)) as writer:
        try:
            url_keys.rotate(chosen["data_dir"], end_all=not keep_previous)
        except ValueError as error:
            raise click.ClickException(f"{error}.") from None
        writer.note("rotate_file_key", "key", url_keys.CURRENT)
    if as_json:
        print_json({"revoked": not keep_previous})
    elif keep_previous:
        click.echo("A new key signs from now on; URLs signed before stay valid until they expire.")
    else:
        click.echo("A new key signs from now on; no URL signed before is valid any more.")
