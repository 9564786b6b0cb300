"""`xp user link`."""

import shlex

import click

from actors import limits
from cli import settings
from cli.opening.database import data_dir_option, find_user, writing
from cli.settings import Settings
from cli.terminal.console import json_option, print_json, short_time
from cli.terminal.times import now_ms
from cli.users import sign_in_rules
from cli.users.rendering import named

PATH = "/api/v1/auth/login"


@click.command("link")
@click.argument("user")
@click.option(
    "--url", default=None, metavar="URL",
    help="URL of the server for clients: https://chat.example.com.  [default: PUBLIC_URL, or HOST and PORT]",
)  # fmt: skip
@data_dir_option
@json_option
def command(user: str, url: str | None, data_dir: str | None, as_json: bool) -> None:
    """Create a link that signs a user in, once, within 24 hours; it is shown only once.

    The first administrator signs in with it. Together with `new_password` it also sets a password.

    Example: xp user link ana@rpotential.ai --url https://chat.example.com
    """
    from actors.resources.sessions import CreateLink
    from server.api import render
    from server.auth.issued_secrets import LINK_PREFIX, new_secret

    chosen = settings.load({"data_dir": data_dir})
    where = _checked(url) if url is not None else _of_settings(chosen)
    found = find_user(data_dir, user)
    sign_in_rules.warn(found, chosen)
    secret, expires_at = new_secret(LINK_PREFIX), now_ms() + limits.SIGN_IN_LINK_SECONDS * 1000
    with writing(data_dir) as writer:
        command = CreateLink(
            identity=writer.system(), user_id=found.id, link_hash=secret.hash, expires_at=expires_at
        )  # fmt: skip
        writer.do(command)
    curl = _curl(where, secret.text)
    if as_json:
        facts = {"user_id": found.id, "link": secret.text, "expires_at": render.iso_time(expires_at)}
        print_json(facts | {"curl": curl})
        return
    click.echo(f"{secret.text}\n\nIt signs in {named(found)}, once, until {short_time(expires_at)} UTC:\n\n{curl}\n")
    click.echo('To set a password with it, add "new_password": "…" to what is sent.')


def _checked(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise click.BadParameter(f"expected an http or https URL; got {url!r}.", param_hint="'--url'")
    return url.rstrip("/")


def _of_settings(chosen: Settings) -> str:
    if chosen["public_url"] is not None:
        return str(chosen["public_url"]).rstrip("/")
    host, port = chosen["host"], chosen["port"]
    if port == 0:
        raise click.ClickException("PORT is 0, for any free one: give the server's URL with --url.")
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://[{reached}]:{port}" if ":" in reached else f"http://{reached}:{port}"


def _curl(url: str, link: str) -> str:
    return (
        f"curl -sS {shlex.quote(url + PATH)} -H 'Content-Type: application/json' \\\n     -d '{{\"link\": \"{link}\"}}'"
    )
