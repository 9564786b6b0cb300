"""Requests of a command to the running server, as an administrator."""

import http.client
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

import click

from actors import limits
from cli import settings
from cli.serving.published_settings import settings_of
from cli.settings import Settings
from cli.settings.values import address as reachable

TOKEN = "XP_TOKEN"  # noqa: S105 - the name of an environment variable


def server_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--url` and `--token`; they arrive as `url` and `token`, for `ServerCalls`."""
    url = click.option("--url", default=None, help="URL of the server.  [default: that of DATA_DIR's server]")
    token = click.option(
        "--token",
        default=None,
        help=f"Token of an administrator.  [{TOKEN}; else one is minted by the server's secret]",
    )
    return settings.options("data_dir", "jwt_issuer", "jwt_audience")(url(token(command)))


@dataclass(frozen=True, slots=True)
class ServerCalls:
    chosen: Settings
    url: str | None = None
    token: str | None = None
    lasts: int = 60
    """Seconds for which a token is good that is minted here."""

    def follow(self, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Server-sent events until the server ends them. Raises `click.ClickException` with a sentence."""
        connection, base = self._connection(limits.SSE_HEARTBEAT_SECONDS * 2)
        try:
            connection.request(
                "GET", base.path.rstrip("/") + path, headers={"Authorization": f"Bearer {self._token()}"}
            )
            answer = connection.getresponse()
            if answer.status >= 400:
                raise click.ClickException(_refused(json.loads(answer.read())))
            yield from _events(answer)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise click.ClickException(f"{base.geturl()}: the server does not answer ({error}).") from None
        finally:
            connection.close()

    @property
    def address(self) -> str:
        """Where the server is. Raises `click.ClickException` where that is unknown, and for what is no URL."""
        if self.url is None:
            return self._own_url()
        try:
            return reachable(self.url)
        except ValueError:
            raise click.ClickException(
                f"--url: expected http://HOST[:PORT] or https://HOST[:PORT]; got {self.url}."
            ) from None

    def _connection(self, seconds: float) -> tuple[http.client.HTTPConnection, SplitResult]:
        base = urlsplit(self.address)
        made = http.client.HTTPSConnection if base.scheme == "https" else http.client.HTTPConnection
        return made(base.netloc, timeout=seconds), base

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """What a success answers. Raises `click.ClickException` with a sentence."""
        connection, base = self._connection(limits.CALL_SECONDS)
        headers = {"Authorization": f"Bearer {self._token()}", "Content-Type": "application/json"}
        sent = None if body is None else json.dumps(body)
        try:
            connection.request(method, base.path.rstrip("/") + path, sent, headers)
            answer = connection.getresponse()
            found = json.loads(answer.read())
            if answer.status < 400:
                return found["data"]
        except (LookupError, TypeError):
            raise click.ClickException(f"{base.geturl()}: this is another server than one of ours.") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise click.ClickException(f"{base.geturl()}: the server does not answer ({error}).") from None
        finally:
            connection.close()
        raise click.ClickException(_refused(found))

    def _own_url(self) -> str:
        """Of the server that uses the data folder now."""
        folder = self.chosen["data_dir"]
        shown = settings_of(folder)
        if shown is None:
            raise click.ClickException(
                f"No server uses {folder}; name another folder by --data-dir, or a server by --url."
            )
        host, port = shown["HOST"] or "127.0.0.1", shown["PORT"]
        if port in (None, "0"):
            raise click.ClickException("The server has chosen its port itself; name it by --url.")
        near = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
        return f"http://{near}:{port}"

    def _token(self) -> str:
        given = self.token or os.environ.get(TOKEN)
        if given and not (given.isascii() and given.isprintable()):
            raise click.ClickException("The token has characters that none has, such as the end of a line.")
        return given or self._minted()

    def _minted(self) -> str:
        """A token for a moment, by the server's own secret."""
        from cli.tokens.mint import first_domain, secret_for_minting
        from server.auth.token_minting import mint

        chosen = self.chosen
        domain = first_domain(chosen)
        return mint(
            secret_for_minting(chosen), sub="xp", email=f"xp@{domain}", name="xp", domain=domain, role="ADMIN",
            kind="SERVICE", ttl_seconds=self.lasts, issuer=chosen["jwt_issuer"], audience=chosen["jwt_audience"],
            now=time.time(),
        )  # fmt: skip


def _events(lines: Iterable[bytes]) -> Iterator[tuple[str, dict[str, Any]]]:
    name = ""
    for line in lines:
        field, _, value = line.decode().rstrip("\n").partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            yield name, json.loads(value)


def _refused(problem: Any) -> str:
    try:
        return f"The server refuses it: {problem['error']['detail']} (--token gives another token)"
    except (LookupError, TypeError):
        return "The server refuses it."
