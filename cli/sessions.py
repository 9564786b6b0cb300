"""`xp session`: who is signed in where."""

from typing import TYPE_CHECKING

import click

from actors import limits
from cli.opening.database import data_dir_option, everyone, find_user, reading, writing
from cli.opening.pages import every
from cli.terminal.console import count, json_option, plain, print_json, print_table, short_time
from cli.terminal.group import LazyGroup
from cli.users.rendering import named, names_of

if TYPE_CHECKING:
    from actors.resources.sessions import Session
    from storage.database import Database

REASON = "ended by an administrator"
COLUMNS = ("id", "method", "address", "user agent", "since", "last seen", "until")

COMMANDS = {
    "list": ("cli.sessions:list_command", "List active sessions, newest first"),
    "end": ("cli.sessions:end_command", "End one session of a user"),
    "end-all": ("cli.sessions:end_all_command", "End all sessions of a user"),
}


@click.group(cls=LazyGroup, entries=COMMANDS)
def command() -> None:
    """List and end sessions.

    A session is a user signed in on one device. What is open by one that ends, a running server closes within a
    second.

    Example: xp session end-all ana@rpotential.ai
    """


@click.command("list")
@click.option("--user", default=None, metavar="USER", help="Only of this user: id or e-mail address.")
@data_dir_option
@json_option
def list_command(user: str | None, data_dir: str | None, as_json: bool) -> None:
    """List active sessions, newest first.

    Example: xp session list --user ana@rpotential.ai
    """
    from server.api.account_views import session_view
    from storage.maintenance import user_lookup

    with reading(data_dir) as database:
        user_id = user_lookup.find(database, user).id if user is not None else None
        found = sessions_of(database, user_id)
        name = names_of(database)
        rows = [(*row(session), name(session.user_id)) for session in found]
    if as_json:
        print_json([session_view(session, everyone()) for session in found])
    else:
        print_table((*COLUMNS, "user"), rows)


def sessions_of(database: "Database", user_id: str | None) -> "list[Session]":
    from storage.resources.sessions import reading as accounts

    return list(every(lambda before: accounts.sessions(database, user_id=user_id, limit=limits.XP_PAGE, before=before)))


def row(session: "Session") -> tuple[object, ...]:
    times = map(short_time, (session.created_at, session.last_seen_at, session.expires_at))
    return (session.id, session.method, session.address, session.user_agent, *times)


@click.command("end")
@click.argument("session", metavar="ID")
@data_dir_option
def end_command(session: str, data_dir: str | None) -> None:
    """End one session of a user.

    Example: xp session end cmwtj2zqi000059b8tfy744ms
    """
    from actors.resources.sessions import EndSession

    with writing(data_dir) as writer:
        ended = writer.do(EndSession(identity=writer.system(), session_id=session, reason=REASON))
    click.echo(f"Session {ended.id} of user {ended.user_id} has ended: {plain(ended.end_reason)}.")


@click.command("end-all")
@click.argument("user")
@data_dir_option
def end_all_command(user: str, data_dir: str | None) -> None:
    """End all sessions of a user.

    Example: xp session end-all ana@rpotential.ai
    """
    from actors.resources.sessions import EndSessions

    found = find_user(data_dir, user)
    with writing(data_dir) as writer:
        ended = writer.do(EndSessions(identity=writer.system(), user_id=found.id, reason=REASON))
    click.echo(f"Ended {count(ended, 'session')} of {named(found)}.")
