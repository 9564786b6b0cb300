"""`xp actions show`."""

from typing import TYPE_CHECKING

import click

from cli.opening.database import data_dir_option, everyone, reading
from cli.terminal.console import json_option, print_facts, print_json, short_time

if TYPE_CHECKING:
    from actors.resources.actions import Action


@click.command("show")
@click.argument("action", metavar="ID")
@data_dir_option
@json_option
def command(action: str, data_dir: str | None, as_json: bool) -> None:
    """Show an action, what was sent, and the answer.

    Example: xp actions show cmwtj2zqi000059b8tfy744ms
    """
    from server.resources.actions.views import action_view
    from storage.resources.actions import reading as actions

    with reading(data_dir) as database:
        found = actions.one(database, everyone(), action)
    if as_json:
        print_json(action_view(found))
    else:
        print_facts(_facts(found))


def _facts(action: "Action") -> list[tuple[str, object]]:
    return [
        ("id", action.id), ("thread", action.thread_id), (action.subject.kind, action.subject.id),
        (f"{action.subject.kind} version", action.subject_version), ("user", action.user.name),
        ("author", action.author.name),
        ("block", action.block_id), ("action", action.action_id), ("type", action.kind), ("value", action.value),
        ("state", action.state), ("status", action.status), ("text", action.text), ("errors", action.errors),
        ("created", short_time(action.created_at)), ("expires", short_time(action.expires_at)),
        ("answered", short_time(action.answered_at)),
    ]  # fmt: skip
