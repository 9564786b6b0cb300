"""The `xp` command in this process, on a data folder of its own."""

import json
import secrets
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from actors.auth.identity import Identity, Origin
from actors.resources.sessions import Session, SignedIn, StartSession
from actors.resources.users import SYSTEM_SUBJECT
from cli.main import main
from storage.database import FILE_NAME
from tests.builders import Ledger

SECRET = "a secret that is only good for tests, and long enough"


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.code in (0, 1), self
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """Of JSON lines."""
        assert self.code == 0, self
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def sentence(self) -> str:
        """The one line that says what went wrong."""
        assert self.code == 1, self
        assert self.err.startswith("Error: "), self
        assert self.err.count("\n") == 1, self
        return self.err.removeprefix("Error: ").strip()


class Xp:
    """`xp("thread", "list")` runs it, with this folder as DATA_DIR."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = folder / FILE_NAME
        self.environment: dict[str, str | None] = {
            "DATA_DIR": str(folder), "JWT_SECRET": SECRET, "SYNCHRONOUS": "NORMAL", "ALLOWED_DOMAINS": None,
        }  # fmt: skip

    def __call__(self, *arguments: object, stdin: str | None = None, **environment: str | None) -> Ran:
        runner = CliRunner(env={**self.environment, **environment})
        result = runner.invoke(main, [str(argument) for argument in arguments], input=stdin, prog_name="xp")
        return Ran(result.exit_code, result.stdout, result.stderr)


@pytest.fixture
def xp(tmp_path: Path) -> Xp:
    return Xp(tmp_path / "data")


@pytest.fixture
def ledger(xp: Xp) -> Iterator[Ledger]:
    """The same database, from inside; it stays open while the test runs, as a server's would."""
    made = Ledger(xp.database)
    yield made
    made.close()


@pytest.fixture
def command_line() -> list[str]:
    """How the real command is started as a process."""
    return [sys.executable, "-m", "cli.main"]


def sign_in(ledger: Ledger, who: Identity, address: str = "10.0.0.1") -> Session:
    """A session of theirs, as signing in makes one."""
    command = StartSession(
        user_id=who.user.id, method="PASSWORD", refresh_hash=secrets.token_bytes(32),
        origin=Origin(address, "Firefox", "correlation-1"),
    )  # fmt: skip
    signed_in = ledger.do(command).result
    assert isinstance(signed_in, SignedIn)
    return signed_in.session


def audited(ledger: Ledger) -> list[tuple[str, str, str, str]]:
    """(subject of who did it, by which credential, what, to what), of what the terminal did."""
    return ledger.sql(
        "SELECT u.subject, a.credential, a.action, a.target_id FROM audit a JOIN user u ON u.uid = a.actor_id"
        " WHERE a.credential = 'terminal' ORDER BY a.id"
    )


def by_terminal(action: str, target_id: str) -> tuple[str, str, str, str]:
    return (SYSTEM_SUBJECT, "terminal", action, target_id)
