"""`xp user delete`."""

from typing import Any

import click

from cli.console import count, plain
from cli.store import Writer, data_dir_option, reading, writing
from cli.users.rendering import named

FATES = {
    "anonymise": "What they wrote stays, by a nameless author.",
    "remove": "What they wrote is deleted.",
}


@click.command("delete")
@click.argument("user")
@click.option(
    "--content", type=click.Choice(tuple(FATES)), default="anonymise", show_default=True,
    help="What becomes of what they wrote: it stays without their name, or is deleted.",
)  # fmt: skip
@click.option("--yes", is_flag=True, help="Do not ask.")
@data_dir_option
def command(user: str, content: Any, yes: bool, data_dir: str | None) -> None:
    """Delete a user for good.

    Their name, address and credentials are gone, their sessions end, and they leave every thread. Asks first. What is
    deleted of their messages goes in small steps, also beside a running server; one that is interrupted goes on when a
    server runs.

    Example: xp user delete ana@rpotential.ai --content remove
    """
    from actors.resources.users import DeleteUser
    from storage.maintenance import people
    from storage.resources.users import export as about

    with reading(data_dir) as database:
        found = people.find(database, user)
        threads = about.membership_count(database, found.id)
    if not yes:
        question = f"{named(found)} leaves {count(threads, 'thread')} and is gone for good. {FATES[content]} Go on?"
        click.confirm(question, abort=True, err=True)
    with writing(data_dir) as writer:
        writer.do(DeleteUser(identity=writer.system(), user_id=found.id, content=content))
        if content == "remove":
            _erase(writer)
        writer.settle()
    click.echo(f"Deleted {plain(found.id)}. {FATES[content]}")


def _erase(writer: Writer) -> None:
    """Step by step to the end, so that others can write in between."""
    from actors.resources.users import EraseContent

    step = EraseContent()
    while writer.do(step) == step.rows:
        pass
