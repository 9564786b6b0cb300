"""`xp bench` and `xp completion`."""

import importlib.util
import os
import shutil
import subprocess

import pytest

from tests.cli.conftest import Xp


def test_the_benchmarks_get_the_arguments_as_they_are(
    xp: Xp, monkeypatch: pytest.MonkeyPatch, command_line: list[str]
) -> None:
    called: list[list[str]] = []

    def call(arguments: list[str]) -> int:
        called.append(arguments)
        return 3

    monkeypatch.setattr(importlib.util, "find_spec", lambda _: object())
    monkeypatch.setattr(subprocess, "call", call)
    assert xp("bench", "--quick", "--only", "1,4", "x", "--", "--help").code == 3
    assert called == [[command_line[0], "-m", "bench", "--quick", "--only", "1,4", "x", "--", "--help"]]
    xp("bench", "--", "--help")
    assert called[1][3:] == ["--help"]


def test_benchmarks_that_are_not_installed(xp: Xp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    said = "The benchmarks are not installed; run this in a checkout of the project."
    assert xp("bench").sentence == said

    def absent(_: str) -> None:
        raise ModuleNotFoundError

    monkeypatch.setattr(importlib.util, "find_spec", absent)
    assert xp("bench").sentence == said


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts(shell: str, xp: Xp) -> None:
    script = xp("completion", shell)
    assert (script.code, script.err) == (0, "")
    assert f"_XP_COMPLETE={shell}_complete" in script.out
    if shutil.which(shell):
        subprocess.run([shell, "-c", script.out], check=True, capture_output=True, timeout=30)


def test_a_shell_that_is_not_known(xp: Xp) -> None:
    assert xp("completion", "tcsh").code == 2


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("xp c", {"config", "completion"}),
        ("xp thread t", {"tail"}),
        ("xp db ", {"migrate", "check", "backup", "fresh"}),
        ("xp user create --r", {"--role"}),
        ("xp user create --role A", {"ADMIN"}),
    ],
)
def test_what_is_offered(words: str, offered: set[str], command_line: list[str]) -> None:
    environment = {
        **os.environ, "_XP_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" ")),
    }  # fmt: skip
    ran = subprocess.run(command_line, env=environment, capture_output=True, text=True, timeout=30, check=True)
    assert offered <= {line.partition(",")[2] for line in ran.stdout.splitlines()}
