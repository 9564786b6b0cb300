"""`xp hold add` and `xp hold remove`."""

from typing import TYPE_CHECKING

import click

from cli.opening.database import data_dir_option, find_user, writing
from cli.terminal.checked_input import checked
from cli.terminal.console import plain

if TYPE_CHECKING:
    from actors.resources.holds import HoldKind, LegalHold


@click.command("add")
@click.option("--thread", default=None, metavar="ID", help="The thread that is to be held.")
@click.option("--user", default=None, metavar="USER", help="The user who is to be held: id or e-mail address.")
@click.option("--reason", required=True, metavar="TEXT", help="Such as the number of a case.")
@data_dir_option
def add_command(thread: str | None, user: str | None, reason: str, data_dir: str | None) -> None:
    """Place a legal hold on a thread or a user: no rule purges it, and the user cannot be deleted.

    Several may be on the same thread or user; each is removed by itself. It is written into the audit log.

    Example: xp hold add --thread cmwtj2zqi000059b8tfy744ms --reason "case 2026-17"
    """
    from actors.resources.holds import AddHold
    from server.resources.holds.views import AddHoldRequest

    kind, target_id = _target(data_dir, thread, user)
    asked = checked(AddHoldRequest, kind=kind, target_id=target_id, reason=reason)
    with writing(data_dir) as writer:
        hold: LegalHold = writer.do(
            AddHold(identity=writer.system(), kind=asked.kind, target_id=asked.target_id, reason=asked.reason)
        )
    click.echo(f"Placed {hold.id} on the {hold.kind} {plain(hold.name)}.")


def _target(data_dir: str | None, thread: str | None, user: str | None) -> "tuple[HoldKind, str]":
    if (thread is None) == (user is None):
        raise click.UsageError("Expected one of --thread and --user.")
    return ("thread", thread) if thread is not None else ("user", find_user(data_dir, str(user)).id)


@click.command("remove")
@click.argument("hold", metavar="ID")
@data_dir_option
def remove_command(hold: str, data_dir: str | None) -> None:
    """Remove a legal hold. Rules and erasures that waited for it go on.

    Example: xp hold remove cmwtj2zqi000059b8tfy744ms
    """
    from actors.resources.holds import RemoveHold

    with writing(data_dir) as writer:
        removed: LegalHold = writer.do(RemoveHold(identity=writer.system(), hold_id=hold))
    click.echo(f"Removed {removed.id} from the {removed.kind} {plain(removed.name)}.")
