"""`xp audit list`."""

import itertools
from typing import TYPE_CHECKING

import click

from actors import limits
from cli.opening.database import data_dir_option, reading
from cli.opening.pages import every
from cli.terminal.console import json_option, print_json, print_table, short_time
from cli.terminal.numbers import Number

if TYPE_CHECKING:
    from actors.resources.audit import AuditEntry
    from storage.database import Database

COLUMNS = ("time", "who", "by", "did", "to", "outcome", "from")


@click.command("list")
@click.option("--actor", default=None, metavar="USER", help="Actions of this user: id or e-mail address.")
@click.option("--target", default=None, metavar="ID", help="Actions on this object: an id, or a user's e-mail address.")
@click.option("--action", default=None, help="Only this action: update_user, sign_in, …")
@click.option(
    "--limit",
    default=100,
    show_default=True,
    type=Number(0),
    metavar="N",
    help="Largest number of rows; 0 for all.",
)
@data_dir_option
@json_option
def command(
    actor: str | None, target: str | None, action: str | None, limit: int, data_dir: str | None, as_json: bool
) -> None:
    """List the entries of the audit log, newest first.

    Example: xp audit list --actor ana@rpotential.ai --action update_user
    """
    from server.resources.audit.views import audit_view
    from storage.resources.audit import reading as audit

    with reading(data_dir) as database:
        actor_id, target_id = _user_id(database, actor), _target_id(database, target)
        entries = every(
            lambda before: audit.page(
                database, limit=min(limits.XP_PAGE, limit + 1) if limit else limits.XP_PAGE, before=before,
                actor_id=actor_id, target_id=target_id, action=action,
            )
        )  # fmt: skip
        found = list(itertools.islice(entries, limit + 1 if limit else None))
    shown = found[:limit] if limit else found
    if as_json:
        print_json([audit_view(entry) for entry in shown])
    else:
        print_table(COLUMNS, map(_row, shown))
    if len(found) > len(shown):
        click.echo(f"Only {limit} are shown; --limit 0 lists all.", err=True)


def _user_id(database: "Database", named: str | None) -> str | None:
    from storage.maintenance import user_lookup

    return user_lookup.find(database, named).id if named is not None else None


def _target_id(database: "Database", named: str | None) -> str | None:
    return _user_id(database, named) if named is not None and "@" in named else named


def _row(entry: "AuditEntry") -> tuple[object, ...]:
    return (
        short_time(entry.at), entry.actor_name or entry.actor_id or "–", entry.credential.partition(":")[0] or "–",
        entry.action, f"{entry.target_kind} {entry.target_id}".strip() or "–",
        f"{entry.outcome}: {entry.reason}" if entry.reason else entry.outcome, entry.address or "–",
    )  # fmt: skip
