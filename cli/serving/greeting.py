"""What `xp serve` says once it serves."""

import os
import shlex
import shutil
import socket
import sys
from pathlib import Path

import click

from cli.opening.keys import SECRET_FILE, source_of
from cli.settings import Settings


def greet(chosen: Settings, listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    url = f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else shown}:{port}"  # noqa: S104 - compared, not bound
    try:
        click.echo(f"Serving on {url}  (data in {chosen['data_dir']}, stop with Ctrl-C)")
        click.echo(hint(chosen, url))
    except BrokenPipeError:  # its output has no reader any more: no reason to stop
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def hint(chosen: Settings, url: str) -> str:
    """A command that works as it stands, in any shell and folder of this machine."""
    if source_of(chosen) != SECRET_FILE or not chosen["allowed_domains"]:
        return f"Try:  curl {url}/health   (tokens are signed by what {source_of(chosen)} names)"
    words = [*_this_command(), "token", "--data-dir", str(chosen["data_dir"].absolute())]
    words += ["--domain", next((domain for domain in chosen["allowed_domains"] if domain != "*"), "localhost")]
    for key in ("jwt_issuer", "jwt_audience"):
        if chosen[key] is not None:
            words += [f"--{key.replace('_', '-')}", chosen[key]]
    return f'Try:  curl -H "Authorization: Bearer $({shlex.join(words)})" {url}/api/v1/users/me'


def _this_command() -> list[str]:
    """As it can be called again: by its name where a shell finds the same file by that."""
    called, found = Path(sys.argv[0]), shutil.which("xp")
    if called.name != "xp":
        return [sys.executable, "-m", "cli.main"]
    return ["xp"] if found and Path(found).resolve() == called.resolve() else [str(called.absolute())]
