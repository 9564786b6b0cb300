"""`xp artifact restore`."""

import json
from typing import TYPE_CHECKING

import click

from cli.opening.database import data_dir_option, everyone, reading, writing
from cli.terminal.numbers import Number
from cli.threads import acting

if TYPE_CHECKING:
    from actors.resources.artifacts.artifact import Artifact


@click.command("restore")
@click.argument("artifact")
@click.argument("version", type=Number(1))
@click.option(
    "--as", "author", default=None, metavar="USER", help="Id or e-mail address of a member.  [default: System]"
)
@data_dir_option
def command(artifact: str, version: int, author: str | None, data_dir: str | None) -> None:
    """Make an earlier version the newest again, as a new version.

    Without --as the author is System, who becomes a member of the thread first.

    Example: xp artifact restore ARTIFACT 3
    """
    from actors.resources.artifacts.commands import RestoreArtifact
    from actors.resources.artifacts.contents import deadlines, words
    from storage.resources.artifacts import reading as artifacts

    with reading(data_dir) as database:
        found, old = artifacts.version(database, everyone(), artifact, version)
        state = acting.open_thread(database, found.thread_id)
        member = acting.member(database, state, author) if author is not None else None
    with writing(data_dir) as writer:
        who = member or writer.system()
        content = json.loads(old.content or '""')
        restore = RestoreArtifact(
            identity=who, thread_id=found.thread_id, artifact_id=found.id, number=version,
            words=words(content), deadlines=deadlines(content),
        )  # fmt: skip
        joins = who.user.key not in state.roles
        restored: Artifact = (acting.join(writer, who, state.id, restore) if joins else None) or writer.do(restore)
        writer.note("restore_artifact", "artifact", found.id)
    click.echo(f"Version {version} of {found.id} is version {restored.version} now.")
