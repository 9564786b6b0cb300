"""`xp artifact proposals`."""

from typing import TYPE_CHECKING, Any

import click

from actors import limits
from actors.resources.proposals.proposal import STATUSES
from cli.opening.database import data_dir_option, everyone, reading
from cli.opening.pages import every
from cli.terminal.console import json_option, print_json, print_table, short_time

if TYPE_CHECKING:
    from actors.resources.proposals.proposal import Proposal

COLUMNS = ("id", "status", "of version", "hunks", "author", "comment", "made")


@click.command("proposals")
@click.argument("artifact")
@click.option("--status", type=click.Choice(STATUSES), default=None, help="Only of this status.")
@data_dir_option
@json_option
def command(artifact: str, status: Any, data_dir: str | None, as_json: bool) -> None:
    """List proposals to change an artifact, newest first.

    Example: xp artifact proposals ARTIFACT --status open
    """
    from server.resources.proposals import rendering
    from storage.resources.proposals import reading as proposals

    with reading(data_dir) as database:
        found = list(every(lambda before: proposals.of_artifact(
            database, everyone(), artifact, limit=limits.XP_ARTIFACTS, before=before, status=status
        )))  # fmt: skip
    if as_json:
        print_json([rendering.proposal(proposal) for proposal in found])
    else:
        print_table(COLUMNS, map(_row, found), right=("of version", "hunks"))


def _row(proposal: "Proposal") -> tuple[object, ...]:
    accepted = f"{len(proposal.accepted)} of " if proposal.status == "partly_accepted" else ""
    return (
        proposal.id, proposal.status, proposal.base, f"{accepted}{proposal.count}", proposal.author.name,
        proposal.comment.partition("\n")[0][:60], short_time(proposal.created_at),
    )  # fmt: skip
