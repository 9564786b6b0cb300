"""`SCAN_URL`: where the scanner is."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

EXPECTED = "expected clamd://HOST:PORT, clamd+unix:///PATH or exec:/PATH/TO/COMMAND"
PORT = 3310


@dataclass(frozen=True, slots=True)
class ClamdTcp:
    host: str
    port: int

    def __str__(self) -> str:
        return f"clamd at {f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class ClamdUnix:
    path: Path

    def __str__(self) -> str:
        return f"clamd at {self.path}"


@dataclass(frozen=True, slots=True)
class Command:
    arguments: tuple[str, ...]
    """The path of the file is added."""

    def __str__(self) -> str:
        return self.arguments[0]


Location = ClamdTcp | ClamdUnix | Command


def parse(text: str) -> Location:
    """Raises `ValueError` with what was expected."""
    scheme, _, rest = text.partition(":")
    if scheme == "exec":
        return _command(rest)
    if scheme == "clamd+unix":
        return _unix(text)
    if scheme == "clamd":
        return _tcp(text)
    raise ValueError(f"{EXPECTED}; got {text[:80]!r}")


def _command(text: str) -> Command:
    try:
        arguments = tuple(shlex.split(text))
    except ValueError as error:
        raise ValueError(f"expected a command as in a shell: {error}") from None
    if not arguments or not arguments[0].startswith("/"):
        raise ValueError("expected the whole path of a command, such as exec:/usr/local/bin/scan")
    return Command(arguments)


def _unix(text: str) -> ClamdUnix:
    parts = urlsplit(text)
    if parts.netloc or not parts.path.startswith("/") or parts.query or parts.fragment:
        raise ValueError("expected three slashes and a path, such as clamd+unix:///run/clamav/clamd.ctl")
    return ClamdUnix(Path(unquote(parts.path)))


def _tcp(text: str) -> ClamdTcp:
    parts = urlsplit(text)
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0 or not parts.hostname or "@" in parts.netloc or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("expected a host and a port, such as clamd://127.0.0.1:3310")
    return ClamdTcp(parts.hostname, port or PORT)
