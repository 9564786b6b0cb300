"""`xp deploy`."""

import json
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from cli import settings
from cli.opening.database import data_dir_option


@click.command("deploy", context_settings={"ignore_unknown_options": True})
@click.option("--rollback", is_flag=True, help="Back to the server before the running one.")
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[COMMAND]...")
@data_dir_option
def command(rollback: bool, words: tuple[str, ...], data_dir: str | None) -> None:
    """Hand over from the running server to a new process, without refusing a request.

    The new process is `serve` of the installation whose `xp` is called, or COMMAND, with the flags, environment and
    folder of the running server. It gets ready beside it; then requests wait for a moment, and WebSockets and streams
    are asked to reconnect. If it fails at any point, the running server goes on. Migrations that only add to the schema
    are applied; where others are pending, it is refused.

    Example: /opt/experience-server-1.3/.venv/bin/xp deploy --data-dir /var/lib/experience-server
    """
    from cli.serving.handover.seat import own_python

    if rollback and words:
        raise click.UsageError("--rollback knows the command itself; leave COMMAND out.")
    folder = settings.load({"data_dir": data_dir})["data_dir"]
    asked = {"rollback": rollback, "command": list(words), "python": own_python()}
    for kind, sentence in _answers(folder, asked):
        if kind == "failed":
            raise click.ClickException(sentence)
        click.echo(sentence)
        if kind == "done":
            return
    raise click.ClickException("The server has ended meanwhile; its output says why. `xp doctor` looks at the data.")


def _answers(folder: Path, asked: dict[str, Any]) -> Iterator[Sequence[str]]:
    """(kind, sentence), as the hand-over goes on."""
    with _connected(folder) as connection, connection.makefile("rwb") as lines:
        lines.write(json.dumps(asked).encode() + b"\n")
        lines.flush()
        for line in lines:
            yield from json.loads(line).items()


def _connected(folder: Path) -> socket.socket:
    """Raises `click.ClickException`."""
    from cli.serving.handover.control import FILE_NAME, address
    from storage.lock import holder

    if holder(folder) is None:
        raise click.ClickException(f"No server uses {folder}; start one with `xp serve`, or name another folder.")
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with address(folder) as path:
            connection.connect(path)
    except PermissionError:
        connection.close()
        raise click.ClickException(f"{folder / FILE_NAME}: only the server's own user and root may deploy.") from None
    except OSError:
        connection.close()
        raise click.ClickException(
            f"The server that uses {folder} (pid {holder(folder)}) takes no hand-over now: it starts, another one is "
            "at its end, or its release knows none. Try again in a moment, or restart it."
        ) from None
    return connection
