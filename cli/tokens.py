"""`xp token`: tokens signed by the server's own secret, and what a token says."""

import re
import sys
import time
from typing import Any

import click

from actors import limits
from actors.records import USER_KINDS, USER_ROLES
from cli import settings
from cli.console import json_option, plain, print_facts, print_json
from cli.session import data_dir_option
from cli.settings import Settings

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_TIMES = ("exp", "iat", "nbf")


class _Minting(click.Group):
    """`xp token --ttl 1h` is `xp token mint --ttl 1h`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or args[0] not in (*self.commands, *self.get_help_option_names(ctx)):
            args = ["mint", *args]
        return super().parse_args(ctx, args)


class _Duration(click.ParamType[int]):
    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        from server.tokens import FARTHEST_SECONDS

        match = re.fullmatch(r"(\d{1,9})([smhd])", str(value))
        if match is None:
            self.fail(f"expected a number and s, m, h or d, such as 15m, 12h or 30d; got {value!r}.", param, ctx)
        seconds = int(match[1]) * _UNITS[match[2]]
        if not 0 < seconds <= FARTHEST_SECONDS:
            self.fail(f"expected 1s to {FARTHEST_SECONDS // 86_400}d; got {value!r}.", param, ctx)
        return seconds


@click.group(cls=_Minting)
def command() -> None:
    """Mint and inspect tokens.

    Alone it mints one, for an ADMIN to try things out, and prints nothing else.

    Example: curl -H "Authorization: Bearer $(xp token)" http://127.0.0.1:8787/api/v1/users/me
    """


@command.command("mint")
@click.option("--sub", default=None, help="Whom it speaks for.  [default: dev, or EMAIL's part before the @]")
@click.option("--email", default=None, help="Their e-mail address.  [default: SUB@DOMAIN]")
@click.option("--name", default=None, help="Their name.  [default: SUB in capitals]")
@click.option("--domain", default=None, help="Their domain.  [default: EMAIL's, or the first of ALLOWED_DOMAINS]")
@click.option("--role", type=click.Choice(USER_ROLES), default="ADMIN", show_default=True)
@click.option("--kind", type=click.Choice(USER_KINDS), default="HUMAN", show_default=True)
@click.option("--ttl", type=_Duration(), default="12h", show_default=True, help="How long it is good.")
@data_dir_option
def mint_command(
    sub: str | None, email: str | None, name: str | None, domain: str | None, role: Any, kind: Any, ttl: int,
    data_dir: str | None,
) -> None:  # fmt: skip
    """Print a token, and nothing else.

    Example: xp token mint --email ana@rpotential.ai --role USER --ttl 30d
    """
    from server.tokens import mint

    chosen = settings.load({"data_dir": data_dir})
    secret = _secret(chosen)
    who, _, where = (email or "").rpartition("@")
    sub = sub or who or "dev"
    domain = domain or where or _first(chosen)
    name = name or sub.replace(".", " ").title()
    token = mint(
        secret, sub=sub, email=email or f"{sub}@{domain}", name=name, domain=domain, role=role, kind=kind,
        ttl_seconds=ttl, issuer=chosen["jwt_issuer"], audience=chosen["jwt_audience"], now=time.time(),
    )  # fmt: skip
    if len(token) > limits.TOKEN_BYTES:
        raise click.ClickException(f"A token has at most {limits.TOKEN_BYTES} bytes, this would have {len(token)}.")
    click.echo(token)


def _secret(chosen: Settings) -> bytes:
    from cli.keys import secret_of

    secret = secret_of(chosen)
    if secret is None:
        raise click.ClickException("Tokens come from the issuer of JWT_JWKS_URL here; set JWT_SECRET to mint some too.")
    if len(secret) < limits.SECRET_BYTES:
        raise click.ClickException(
            f"JWT_SECRET must have at least {limits.SECRET_BYTES} bytes, it has {len(secret)}; no server takes it."
        )
    return secret


def _first(chosen: Settings) -> str:
    return str(next(iter(chosen["allowed_domains"]), "localhost"))


@command.command("inspect")
@click.argument("token")
@data_dir_option
@json_option
def inspect_command(token: str, data_dir: str | None, as_json: bool) -> None:
    """Show what a token says, and whether this server's secret verifies it.

    - reads the token from stdin.

    Example: xp token inspect "$TOKEN"
    """
    from server.tokens import inspect_unverified

    if token == "-":  # noqa: S105 - stdin
        token = sys.stdin.read()
    token = token.strip().removeprefix("Bearer ")
    header, claims = inspect_unverified(token)
    refusal = _refusal(token, settings.load({"data_dir": data_dir}))
    if as_json:
        print_json({"header": header, "claims": claims, "verified": refusal is None, "reason": refusal})
        return
    print_facts(
        [
            *((f"header {name}", _readable(name, value)) for name, value in header.items()),
            *((name, _readable(name, value)) for name, value in claims.items()),
            ("verified", "yes, this server takes it" if refusal is None else f"no: {plain(refusal)}"),
        ]
    )


def _refusal(token: str, chosen: Settings) -> str | None:
    """Why this server would not take it; None where it would. Makes no secret."""
    from actors.errors import XpError
    from cli.keys import SECRET_FILE, rules_of
    from server.tokens import TokenVerifier

    if chosen["jwt_secret"] is None and chosen["jwt_jwks_url"] is None:
        path = chosen["data_dir"] / SECRET_FILE
        if not path.exists():
            return f"there is no secret in {path}; `xp serve` makes it."
    try:
        TokenVerifier(rules_of(chosen, None)).verify(token, time.time())
    except XpError as error:
        return error.detail
    except ValueError as error:
        return f"{error}."
    return None


def _readable(name: str, value: object) -> str:
    if name not in _TIMES or isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 2**40:
        return str(value)
    moment = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(value))
    return f"{moment} ({_distance(value - time.time())})"


def _distance(seconds: float) -> str:
    """`in 11 hours`, `3 days ago`."""
    amount, unit = abs(seconds), "second"
    for longer, size in (("minute", 60), ("hour", 3600), ("day", 86_400)):
        if abs(seconds) >= 2 * size:
            amount, unit = abs(seconds) / size, longer
    words = f"{int(amount)} {unit}{'' if int(amount) == 1 else 's'}"
    return f"in {words}" if seconds > 0 else f"{words} ago"
