"""Outputs that are closed, full, or of an encoding that lacks letters."""

import os
import subprocess

import pytest

from tests.cli.conftest import Xp

ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.fixture
def run(xp: Xp, command_line: list[str]) -> "Run":
    assert xp("db", "migrate").code == 0
    return Run(xp, command_line)


class Run:
    """In a process of its own, whose output goes where `redirected` says."""

    def __init__(self, xp: Xp, command_line: list[str]) -> None:
        self._environment = os.environ | {name: value for name, value in xp.environment.items() if value is not None}
        self._environment.pop("PYTHONUNBUFFERED", None)
        self._command_line = command_line

    def __call__(self, arguments: str, redirected: str, **environment: str) -> subprocess.CompletedProcess[str]:
        line = " ".join([*self._command_line, arguments, redirected])
        return subprocess.run(
            line,
            shell=True,
            env=self._environment | environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.mark.parametrize("arguments", ["--help", "user list", "config --json"])
def test_a_full_output_is_told_once(arguments: str, run: Run) -> None:
    ran = run(arguments, ">/dev/full")
    assert (ran.returncode, ran.stderr) == (1, "Error: stdout: No space left on device; what was done stays done.\n")


@pytest.mark.parametrize("arguments", ["--help", "user list", "audit export -"])
def test_a_closed_output_is_no_output(arguments: str, run: Run) -> None:
    ran = run(arguments, ">&-")
    assert (ran.returncode, ran.stderr) == (0, "")


def test_no_file_of_a_command_takes_the_place_of_a_closed_stream(run: Run) -> None:
    ran = run("db query \"SELECT 'there'\" --json", "<&- 2>&-")
    assert (ran.returncode, "there" in ran.stdout) == (0, True)


def test_what_an_encoding_lacks_is_a_question_mark(run: Run) -> None:
    ran = run("db query \"SELECT char(9989) || ' done'\"", "", **ASCII)
    assert (ran.returncode, "? done" in ran.stdout) == (0, True)
