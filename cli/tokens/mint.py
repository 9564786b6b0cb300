"""`xp token mint`."""

import time
from typing import Any

import click

from actors import limits
from actors.resources.users import USER_KINDS, USER_ROLES
from cli import settings
from cli.settings import Settings
from cli.terminal.times import Duration


@click.command("mint")
@click.option("--sub", default=None, help="Subject of the token.  [default: dev, or EMAIL's part before the @]")
@click.option("--email", default=None, help="E-mail address.  [default: SUB@DOMAIN]")
@click.option("--name", default=None, help="Name.  [default: SUB in capitals]")
@click.option("--domain", default=None, help="Domain.  [default: EMAIL's, or the first of ALLOWED_DOMAINS]")
@click.option("--role", type=click.Choice(USER_ROLES), default="ADMIN", show_default=True)
@click.option("--kind", type=click.Choice(USER_KINDS), default="HUMAN", show_default=True)
@click.option("--ttl", type=Duration(), default="12h", show_default=True, help="Lifetime.")
@settings.options("data_dir", "jwt_issuer", "jwt_audience")
def command(
    sub: str | None, email: str | None, name: str | None, domain: str | None, role: Any, kind: Any, ttl: int,
    **flags: str | None,
) -> None:  # fmt: skip
    """Print a token, and nothing else. It is signed with the server's secret; no secret is generated.

    Example: xp token mint --email ana@rpotential.ai --role USER --ttl 30d
    """
    from server.auth.token_minting import mint

    chosen = settings.load(flags)
    secret = secret_for_minting(chosen)
    who, _, where = (email or "").rpartition("@")
    sub = sub or who or "dev"
    domain = domain or where or first_domain(chosen)
    name = name or sub.replace(".", " ").title()
    token = mint(
        secret, sub=sub, email=email or f"{sub}@{domain}", name=name, domain=domain, role=role, kind=kind,
        ttl_seconds=ttl, issuer=chosen["jwt_issuer"], audience=chosen["jwt_audience"], now=time.time(),
    )  # fmt: skip
    if len(token) > limits.TOKEN_BYTES:
        raise click.ClickException(f"A token may have at most {limits.TOKEN_BYTES} bytes, this one has {len(token)}.")
    click.echo(token)


def secret_for_minting(chosen: Settings) -> bytes:
    """Raises `click.ClickException` where the server takes no tokens that are minted here."""
    from cli.opening.keys import existing_secret

    secret = existing_secret(chosen)
    if len(secret) < limits.SECRET_BYTES_LEAST:
        raise click.ClickException(
            f"JWT_SECRET must have at least {limits.SECRET_BYTES_LEAST} bytes, it has {len(secret)}."
        )
    return secret


def first_domain(chosen: Settings) -> str:
    """One whose users may sign in."""
    named = (domain for domain in chosen["allowed_domains"] if domain != "*")
    return str(next(named, "localhost"))
