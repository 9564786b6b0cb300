"""`xp user show`."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from cli import api_keys, sessions, settings
from cli.opening.database import data_dir_option, everyone, reading
from cli.terminal.console import json_option, print_facts, print_json, print_table, short_time
from cli.users.memberships import memberships_of
from cli.users.rendering import rendered
from cli.users.sign_in_rules import why_not

if TYPE_CHECKING:
    from actors.resources.api_keys import ApiKey
    from actors.resources.members import Membership
    from actors.resources.sessions import Session
    from actors.resources.users import User


@click.command("show")
@click.argument("user")
@data_dir_option
@json_option
def command(user: str, data_dir: str | None, as_json: bool) -> None:
    """Show a user's status, sessions, API keys and threads.

    Example: xp user show ana@rpotential.ai
    """
    from storage.maintenance import user_lookup
    from storage.resources.sessions import reading as accounts

    chosen = settings.load({"data_dir": data_dir})
    with reading(data_dir) as database:
        found = user_lookup.find(database, user)
        password = accounts.password_hash(database, found.key) is not None
        theirs = sessions.sessions_of(database, found.id)
        keys = api_keys.keys_of(database, found.id)
        memberships = memberships_of(database, found.id)
    reasons = why_not(found, chosen)
    if as_json:
        print_json(_document(found, reasons, password, theirs, keys, memberships))
        return
    print_facts(_facts(found, reasons, password))
    _section("Sessions", sessions.COLUMNS, map(sessions.row, theirs))
    _section("API keys", api_keys.COLUMNS, map(api_keys.row, keys))
    threads = ((m.thread_id, m.title, m.role, short_time(m.joined_at)) for m in memberships)
    _section("Threads", ("id", "title", "role", "since"), threads)


def _document(
    user: "User", reasons: list[str], password: bool, theirs: "Sequence[Session]", keys: "Sequence[ApiKey]",
    memberships: "Sequence[Membership]",
) -> dict[str, Any]:  # fmt: skip
    from server.api.account_views import api_key_view, membership_view, session_view

    return {
        "user": rendered(user),
        "may_sign_in": not reasons,
        "reasons": reasons,
        "has_password": password,
        "sessions": [session_view(session, everyone()) for session in theirs],
        "api_keys": [api_key_view(key) for key in keys],
        "threads": [membership_view(membership) for membership in memberships],
    }


def _facts(user: "User", reasons: list[str], password: bool) -> Iterable[tuple[str, object]]:
    return (
        ("id", user.id),
        ("name", user.name),
        ("e-mail", user.email or "–"),
        ("subject", user.subject),
        ("role", user.role),
        ("kind", user.kind),
        ("status", user.status),
        ("domain", user.domain),
        ("password", "set" if password else "none"),
        ("since", short_time(user.created_at)),
        ("may sign in", "no: " + " ".join(reasons) if reasons else "yes"),
    )


def _section(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    known = list(rows)
    click.echo(f"\n{title}: {len(known) or 'none'}")
    if known:
        print_table(columns, known)
