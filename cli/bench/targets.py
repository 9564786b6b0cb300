"""The server that is loaded, and the users who load it."""

import os
import socket
import time
from ipaddress import ip_address
from urllib.parse import urlsplit

import click

from actors import limits
from cli.opening.server_calls import TOKEN
from cli.settings import Settings


def check_target(url: str, *, is_meant: bool) -> None:
    """Raises `click.ClickException` for another machine without `--yes-this-server`."""
    host = urlsplit(url).hostname or ""
    if is_meant or _is_here(host):
        return
    raise click.ClickException(
        f"{host} is not this machine. A load test can take a server down: if it is yours, and you may, add "
        "--yes-this-server."
    )


def _is_here(host: str) -> bool:
    """Whether every address of the name is a loopback address."""
    try:
        found = {str(info[4][0]).partition("%")[0] for info in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError) as error:
        raise click.ClickException(f"{host}: {getattr(error, 'strerror', None) or error}.") from None
    return all(ip_address(address).is_loopback for address in found)


def tokens(chosen: Settings, given: str | None, users: int, seconds: float) -> list[str]:
    """One for each user, good until after the run; where one is given, that alone. Raises `click.ClickException`."""
    one = given or os.environ.get(TOKEN)
    return [one] if one else _minted(chosen, users, seconds)


def _minted(chosen: Settings, users: int, seconds: float) -> list[str]:
    """Of `loadtest-1`, `loadtest-2` and so on: the same users each time, so that none are left by every run."""
    from cli.tokens.mint import first_domain, secret_for_minting
    from server.auth.token_minting import mint

    secret, domain, now = secret_for_minting(chosen), first_domain(chosen), time.time()
    return [
        mint(
            secret, sub=f"loadtest-{number}", email=f"loadtest-{number}@{domain}", name=f"Load test {number}",
            domain=domain, role="USER", ttl_seconds=int(seconds) + limits.LOAD_TOKEN_SPARE_SECONDS,
            issuer=chosen["jwt_issuer"], audience=chosen["jwt_audience"], now=now,
        )
        for number in range(1, users + 1)
    ]  # fmt: skip
