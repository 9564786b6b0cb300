"""Help, wrong usage, exit codes, and errors in one sentence, for all commands at once."""

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
import pytest

from actors.errors import Conflict
from cli import config
from cli.main import COMMANDS, main
from cli.terminal.group import LazyGroup
from storage.database import DatabaseProblem
from tests.builders import MIGRATIONS
from tests.cli.conftest import Xp


def every_command(group: click.Group = main, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from every_command(command, (*path, name))


ALL = dict(every_command())


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_help_ends_with_an_example(path: tuple[str, ...], xp: Xp) -> None:
    shown = xp(*path, "--help")
    assert shown.code == 0
    last = (ALL[path].help or "").strip().splitlines()[-1].strip()
    assert last.startswith("Example: ")
    assert f"xp {path[0]}" in last or last.endswith("users/me")
    assert shown.err == ""


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_what_works_on_the_data_takes_its_folder(path: tuple[str, ...]) -> None:
    options = {option for parameter in ALL[path].params for option in parameter.opts}
    without = {("completion",), ("db", "new"), ("blocks", "check")}
    assert ("--data-dir" in options) is not (isinstance(ALL[path], click.Group) or path in without)


def test_the_page_names_what_no_server_may_run_beside() -> None:
    page = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()
    named = re.search(r"All commands work while a server runs, except (.*)\.\n", page)
    assert named is not None
    alone = [
        " ".join(path) for path, command in ALL.items() if "No server may" in " ".join((command.help or "").split())
    ]
    assert re.findall(r"`([a-z ]+)`", named[1]) == alone


@pytest.mark.parametrize(
    "group", [main, *(command for command in ALL.values() if isinstance(command, click.Group))],
    ids=lambda group: group.callback.__module__,
)  # fmt: skip
def test_short_help_is_that_of_the_commands(group: LazyGroup) -> None:
    for name, (_, short) in group.entries.items():
        command = group.get_command(click.Context(group), name)
        assert command is not None
        assert command.name in (name, "command")
        assert command.get_short_help_str(200).rstrip(".").startswith(short), name


def test_alone_it_shows_its_help(xp: Xp) -> None:
    assert xp().code == 2
    assert xp().err == xp("--help").out
    assert all(name in xp("-h").out for name in COMMANDS)


def test_version(xp: Xp) -> None:
    assert xp("--version").out == f"xp, version {version('experience-server')}\n"


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["hread"], "thread"),
        (["thread", "lst"], "list"),
        (["db", "chek"], "check"),
        (["db", "info", "--jsn"], "--json"),
        (["audit", "verfy"], "verify"),
        (["user", "set-roles"], "set-role"),
    ],
)
def test_a_slip_is_met_with_a_suggestion(arguments: list[str], meant: str, xp: Xp) -> None:
    ran = xp(*arguments)
    assert ran.code == 2
    assert f"Did you mean '{meant}'?" in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["user", "create"],
        ["user", "set-role", "x", "BOSS"],
        ["thread", "tail", "x", "--after", "-1"],
        ["db", "info", "y"],
    ],
)
def test_wrong_usage_is_exit_code_2(arguments: list[str], xp: Xp) -> None:
    ran = xp(*arguments)
    assert ran.code == 2
    assert "Usage: xp" in ran.err


def test_a_wrong_setting_is_one_sentence(xp: Xp) -> None:
    assert xp("db", "info", PORT="many").sentence == (
        "PORT: expected a port from 0 to 65535; 'many' came from the environment."
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["user", "list"], ["user", "create", "a@b.c"], ["user", "set-role", "a@b.c", "USER"], ["user", "show", "x"],
        ["user", "link", "x"], ["user", "activate", "x"], ["user", "deactivate", "x"], ["user", "delete", "x"],
        ["user", "export", "x", "-"], ["session", "list"], ["session", "end", "x"], ["session", "end-all", "x"],
        ["key", "list"], ["key", "create", "x", "--name", "n"], ["key", "revoke", "x"], ["audit", "list"],
        ["audit", "verify"], ["audit", "export", "-"], ["token", "revoke", "x"], ["thread", "list"],
        ["thread", "tail", "x"], ["thread", "post", "x", "y"], ["thread", "export", "x"], ["db", "status"],
        ["db", "info"], ["db", "tables"], ["db", "query", "SELECT 1"], ["db", "check"], ["db", "backup", "b.db"],
        ["db", "export", "folder"], ["files", "list"], ["files", "show", "x"], ["files", "get", "x", "-"],
        ["files", "put", __file__], ["files", "check"], ["files", "prune"], ["files", "prune", "--dry-run"],
        ["files", "rotate-key"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_without_a_database_each_says_so_and_makes_none(arguments: list[str], xp: Xp) -> None:
    assert xp(*arguments).sentence == (
        f"{xp.database}: there is no database; `xp serve` or `xp db migrate` makes one, "
        "--data-dir names another folder."
    )
    assert not xp.folder.exists()


@pytest.mark.parametrize(
    "arguments", [["user", "list"], ["db", "check"], ["user", "create", "a@b.c"], ["db", "status"]]
)
def test_what_is_no_database_is_one_sentence(arguments: list[str], xp: Xp) -> None:
    xp.folder.mkdir()
    xp.database.write_bytes(b"no database, whatever its name says " * 500)
    assert xp(*arguments).sentence == (
        f"{xp.database}: this is not an SQLite database; point DATA_DIR elsewhere or restore a backup."
    )


def test_a_database_that_waits_for_a_migration(xp: Xp) -> None:
    xp.folder.mkdir()
    xp.database.touch()
    for arguments in (["user", "list"], ["user", "create", "a@b.c"]):
        assert xp(*arguments).sentence == (
            f"{xp.database}: {len(MIGRATIONS)} migrations are pending; run `xp db migrate` first."
        )


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (DatabaseProblem("It is broken."), "It is broken."),
        (Conflict("Not now."), "Not now."),
        (PermissionError(13, "Permission denied", "/x"), "/x: Permission denied."),
        (OSError("odd"), "odd."),
        (KeyError("x"), "This is a defect of xp: KeyError: 'x'; XP_TRACEBACK=1 in front of xp shows where."),
    ],
)
def test_every_error_is_a_sentence(error: Exception, sentence: str, xp: Xp, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(config, "_print", fail)
    assert xp("config").sentence == sentence
    assert xp("config", XP_TRACEBACK="1").err == ""  # it passes, for Python to show


def test_ctrl_c_is_quiet(xp: Xp, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(config, "_print", interrupt)
    ran = xp("config")
    assert (ran.code, ran.out, ran.err) == (130, "", "")


# The real command, as a process


def run(arguments: list[str], environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments, env={**os.environ, **(environment or {})}, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_installed_command() -> None:
    installed = Path(sys.executable).with_name("xp")
    ran = run([str(installed), "--version"])
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, f"xp, version {version('experience-server')}\n", "")


def test_help_and_completion_import_nothing_heavy() -> None:
    script = """
import sys
from click.testing import CliRunner
from cli.main import main
assert CliRunner().invoke(main, ["--help"]).exit_code == 0
assert CliRunner().invoke(main, ["db", "--help"]).exit_code == 0
for group in ("thread", "token", "user", "audit", "session", "key"):
    assert CliRunner().invoke(main, [group, "--help"]).exit_code == 0
assert CliRunner(env={"_XP_COMPLETE": "bash_complete", "COMP_WORDS": "xp d", "COMP_CWORD": "1"}).invoke(
    main, prog_name="xp").output.split() == [
        "plain,deploy", "plain,db", "plain,du", "plain,doctor", "plain,drill"]
heavy = {"aiohttp", "peewee", "pydantic", "rich", "jwt", "pykka", "orjson", "uvloop", "asyncio"} & sys.modules.keys()
assert not heavy, heavy
"""
    ran = run([sys.executable, "-c", script])
    assert (ran.returncode, ran.stderr) == (0, "")


def test_a_closed_pipe_is_no_drama(xp: Xp, command_line: list[str]) -> None:
    environment = {"DATA_DIR": str(xp.folder)}
    assert run([*command_line, "db", "migrate"], environment).returncode == 0
    # Few and long ones: a table is laid out before its first line is written.
    many = "WITH r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r LIMIT 8) SELECT n, printf('%060000d', n) FROM r"
    piped = " ".join([*command_line, "db", "query", shlex.quote(many), "--limit", "0", "|", "head", "-1"])
    ran = run(["bash", "-c", piped], environment)
    assert ran.stderr == ""
    assert len(ran.stdout.splitlines()) == 1


def test_ctrl_c_ends_a_follower_in_silence(xp: Xp, command_line: list[str]) -> None:
    environment = {**os.environ, "DATA_DIR": str(xp.folder)}
    run([*command_line, "db", "migrate"], environment)
    script = "import sys; from tests.builders import Ledger; from pathlib import Path; l = Ledger(Path(sys.argv[1]));"
    script += "print(l.thread(l.user('ana')).id); l.close()"
    thread = run([sys.executable, "-c", script, str(xp.database)]).stdout.strip()
    follow = [*command_line, "thread", "tail", thread, "--follow"]
    with subprocess.Popen(
        follow, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert "thread.created" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
        assert process.stderr.read() == ""
