"""`xp token revoke`."""

import time
from typing import Any

import click

from actors import limits
from cli.opening.database import data_dir_option, reading, writing
from cli.terminal.console import plain
from cli.terminal.times import moment
from cli.tokens.token_kinds import TRADED, given, kind_of


@click.command("revoke")
@click.argument("token", metavar="JTI_OR_TOKEN")
@data_dir_option
def command(token: str, data_dir: str | None) -> None:
    """Revoke another issuer's token.

    Give its `jti`, or the token itself, of which only an identifier is stored. A running server closes its connections
    within a second. JTI_OR_TOKEN - reads stdin.

    Example: xp token revoke "$TOKEN"
    """
    from actors.resources.sessions import RevokeToken

    token_id, expires_at = _named(given(token), data_dir)
    if expires_at <= time.time():
        click.echo(f"It expired {moment(expires_at)}: no server accepts it any more.")
        return
    with writing(data_dir) as writer:
        writer.do(RevokeToken(identity=writer.system(), token_id=token_id, expires_at=int(expires_at) * 1000))
    click.echo(f"Revoked {plain(token_id)}: no server accepts it any more.")


def _named(text: str, data_dir: str | None) -> tuple[str, float]:
    """By what servers know a token, and until when they would take it. Raises `click.ClickException` for others."""

    match kind_of(text):
        case "api_key":
            raise click.ClickException(_key_advice(text, data_dir))
        case "refresh_token" | "sign_in_link" as kind:
            raise click.ClickException(
                f"This is a {TRADED[kind]}; `xp session list` shows sessions, `xp session end ID` ends one."
            )
        case "jwt":
            return _of_token(text)
        case _:
            return _checked(text), time.time() + limits.TOKEN_SECONDS_MAX + limits.TOKEN_LEEWAY_SECONDS


def _key_advice(text: str, data_dir: str | None) -> str:
    from server.auth.issued_secrets import hash_of
    from storage.maintenance import credential_status

    with reading(data_dir) as database:
        key = credential_status.api_key(database, hash_of(text))
    return f"This is an API key; run: xp key revoke {key.id}" if key else "This is an unknown API key."


def _of_token(text: str) -> tuple[str, float]:
    from server.auth.tokens import OWN_KEY_ID, fingerprint, inspect_unverified

    header, claims = inspect_unverified(text)
    if header.get("kid") == OWN_KEY_ID:
        raise click.ClickException(f"This is a token of a session; run: xp session end {plain(claims.get('sid'))}")
    expires_at = claims.get("exp")
    if isinstance(expires_at, bool) or not isinstance(expires_at, int | float) or not 0 <= expires_at < 2**53:
        raise click.ClickException("This token has no expiry (`exp`), so no server accepts it.")
    token_id = claims.get("jti")
    named = fingerprint(text) if token_id in (None, "") else _checked(token_id)
    return named, expires_at + limits.TOKEN_LEEWAY_SECONDS


def _checked(token_id: Any) -> str:
    from cli.terminal.checked_input import checked
    from server.resources.sessions.views import RevokeTokenRequest

    return checked(RevokeTokenRequest, jti=token_id).jti
