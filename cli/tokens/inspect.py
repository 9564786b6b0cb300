"""`xp token inspect`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from cli import settings
from cli.opening.database import data_dir_option, everyone
from cli.terminal.console import json_option, plain, print_facts, print_json, short_time
from cli.terminal.times import moment_and_distance
from cli.tokens.token_kinds import TRADED, given, kind_of
from cli.users.rendering import named, rendered

if TYPE_CHECKING:
    from actors.resources.api_keys import ApiKey
    from actors.resources.sessions import Session
    from cli.tokens.findings import Finding

_TIMES = ("exp", "iat", "nbf")


@click.command("inspect")
@click.argument("token")
@data_dir_option
@json_option
def command(token: str, data_dir: str | None, as_json: bool) -> None:
    """Show the claims of a token, and whether this server accepts it.

    TOKEN is a JWT (of an issuer, or of a session of this server) or an API key. Shows its user, rights and status.
    TOKEN - reads stdin.

    Example: xp token inspect "$TOKEN"
    """
    from cli.tokens import findings

    text = given(token)
    chosen = settings.load({"data_dir": data_dir})
    kind = kind_of(text)
    if kind in TRADED:
        raise click.ClickException(f"This is a {TRADED[kind]}: it is valid once, and can only be exchanged for tokens.")
    found = findings.of_key(text, data_dir) if kind == "api_key" else findings.of_token(text, chosen)
    if as_json:
        print_json(_document(found))
    else:
        print_facts(_facts(found))


def _document(found: "Finding") -> dict[str, Any]:
    from server.api.account_views import api_key_view, session_view
    from server.api.render import maybe_time

    session, key = found.session, found.key
    return {
        "kind": found.kind,
        "header": found.header,
        "claims": found.claims,
        "session": session_view(session, everyone())
        | {"ended_at": maybe_time(session.ended_at), "end_reason": session.end_reason}
        if session
        else None,
        "api_key": api_key_view(key) | {"revoked_at": maybe_time(key.revoked_at)} if key else None,
        "user": rendered(found.user) if found.user else None,
        "verified": found.refusal is None,
        "reason": found.refusal,
    }


def _facts(found: "Finding") -> Iterator[tuple[str, object]]:
    for name, value in (found.header or {}).items():
        yield f"header {name}", _readable(name, value)
    for name, value in (found.claims or {}).items():
        yield name, _readable(name, value)
    if found.session is not None:
        yield "session", _session(found.session)
    if found.key is not None:
        yield from _key(found.key)
    if found.user is not None:
        yield "user", f"{named(found.user)}, {found.user.role}, {found.user.status}"
    yield "verified", "yes, this server accepts it" if found.refusal is None else f"no: {plain(found.refusal)}"


def _session(session: "Session") -> str:
    if session.ended_at is not None:
        return f"{session.id}, ended {moment_and_distance(session.ended_at / 1000)}: {session.end_reason}"
    return f"{session.id}, until {moment_and_distance(session.expires_at / 1000)}"


def _key(key: "ApiKey") -> Iterator[tuple[str, object]]:
    yield "key", key.id
    yield "name", key.name
    yield "scopes", ", ".join(key.scopes)
    yield "since", short_time(key.created_at)
    yield "last used", short_time(key.last_used_at)
    yield "until", moment_and_distance(key.expires_at / 1000) if key.expires_at else "it is revoked"


def _readable(name: str, value: object) -> str:
    if name not in _TIMES or isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 2**40:
        return str(value)
    return moment_and_distance(value)
