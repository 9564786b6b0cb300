"""`xp key`: API keys, for programs and agents that act as a user."""

from typing import TYPE_CHECKING, Any

import click

from actors import limits
from actors.auth.identity import SCOPES
from cli import settings
from cli.opening.database import data_dir_option, find_user, reading, writing
from cli.opening.pages import every
from cli.terminal.console import json_option, plain, print_json, print_table, short_time
from cli.terminal.group import LazyGroup
from cli.terminal.times import Duration, now_ms
from cli.users import sign_in_rules
from cli.users.rendering import named, names_of

if TYPE_CHECKING:
    from actors.resources.api_keys import ApiKey
    from storage.database import Database

COLUMNS = ("id", "name", "begins with", "scopes", "since", "last used", "until")

COMMANDS = {
    "create": ("cli.api_keys:create_command", "Create an API key for a user, and print it"),
    "list": ("cli.api_keys:list_command", "List API keys that are not revoked, newest first"),
    "revoke": ("cli.api_keys:revoke_command", "Revoke an API key"),
}


@click.group(cls=LazyGroup, entries=COMMANDS)
def command() -> None:
    """Create, list and revoke API keys.

    A key acts as the user it belongs to, within its scopes: read, write, admin.

    Example: xp key create bot@rpotential.ai --name summariser --expires 90d
    """


@click.command("create")
@click.argument("user")
@click.option("--name", required=True, help="Purpose of the key.")
@click.option(
    "--scope", "scopes", multiple=True, type=click.Choice(SCOPES), default=("read", "write"),
    help="A scope; may be given several times.  [default: read and write]",
)  # fmt: skip
@click.option(
    "--expires", "expires_in", type=Duration(), default=None, help="Lifetime: 90d, 12h, …  [default: never expires]"
)
@data_dir_option
@json_option
def create_command(user: str, data_dir: str | None, as_json: bool, **fields: Any) -> None:
    """Create an API key for a user, and print it: it is shown only once.

    Example: xp key create bot@rpotential.ai --name summariser --scope read --scope write --expires 90d
    """
    from actors.resources.api_keys import CreateApiKey
    from cli.terminal.checked_input import checked
    from server.api.account_views import api_key_view
    from server.auth.issued_secrets import API_KEY_PREFIX_CHARS, new_api_key
    from server.resources.auth.views import CreateApiKeyRequest

    request = checked(CreateApiKeyRequest, **fields | {"scopes": list(dict.fromkeys(fields["scopes"]))})
    found = find_user(data_dir, user)
    sign_in_rules.warn(found, settings.load({"data_dir": data_dir}))
    secret = new_api_key()
    with writing(data_dir) as writer:
        key: ApiKey = writer.do(
            CreateApiKey(
                identity=writer.system(), user_id=found.id, name=request.name, scopes=tuple(request.scopes),
                prefix=secret.text[:API_KEY_PREFIX_CHARS], key_hash=secret.hash,
                expires_at=now_ms() + request.expires_in * 1000 if request.expires_in else None,
            )
        )  # fmt: skip
    if as_json:
        print_json(api_key_view(key, secret.text))
        return
    until = f"until {short_time(key.expires_at)} UTC" if key.expires_at else "until it is revoked"
    sentence = f"Created key {key.id} for {named(found)}: {', '.join(key.scopes)}, {until}. It is shown only once."
    click.echo(sentence, err=True)
    click.echo(secret.text)


@click.command("list")
@click.option("--user", default=None, metavar="USER", help="Only of this user: id or e-mail address.")
@data_dir_option
@json_option
def list_command(user: str | None, data_dir: str | None, as_json: bool) -> None:
    """List API keys that are not revoked, newest first.

    Example: xp key list --user bot@rpotential.ai
    """
    from server.api.account_views import api_key_view
    from storage.maintenance import user_lookup

    with reading(data_dir) as database:
        user_id = user_lookup.find(database, user).id if user is not None else None
        found = keys_of(database, user_id)
        name = names_of(database)
        rows = [(*row(key), name(key.user_id)) for key in found]
    if as_json:
        print_json([api_key_view(key) for key in found])
    else:
        print_table((*COLUMNS, "user"), rows)


def keys_of(database: "Database", user_id: str | None) -> "list[ApiKey]":
    from storage.resources.sessions import reading as accounts

    return list(every(lambda before: accounts.api_keys(database, user_id=user_id, limit=limits.XP_PAGE, before=before)))


def row(key: "ApiKey") -> tuple[object, ...]:
    until = short_time(key.expires_at) + (" (expired)" if key.expires_at and key.expires_at <= now_ms() else "")
    return (
        key.id, key.name, f"{key.prefix}…", ", ".join(key.scopes), short_time(key.created_at),
        short_time(key.last_used_at), until,
    )  # fmt: skip


@click.command("revoke")
@click.argument("key", metavar="ID")
@data_dir_option
def revoke_command(key: str, data_dir: str | None) -> None:
    """Revoke an API key.

    A running server closes its connections within a second.

    Example: xp key revoke cmwtj2zqi000059b8tfy744ms
    """
    from actors.resources.api_keys import RevokeApiKey

    with writing(data_dir) as writer:
        revoked: ApiKey = writer.do(RevokeApiKey(identity=writer.system(), key_id=key))
    click.echo(f"Revoked key {revoked.id}, {plain(revoked.name)}.")
