"""Which tests run which lines, and how long each takes: what a mutant needs to be tried against, quickest first."""

import ast
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import coverage

from tests.mutation.mutants import Mutant

PROCESS_EVENTS = {"subprocess.Popen", "os.fork", "os.posix_spawn", "socket.sendmsg"}
"""Of Python's audit: a test starts a process, or asks one that forks for it. What that one runs is not seen."""


class Tracer:
    """The lines of some files that this process runs, by what it does then."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self._paths = [str(path) for path in paths]
        self._coverage = coverage.Coverage(data_file=None, config_file=False, include=self._paths)
        self._coverage.set_option("run:core", "ctrace")  # the only one that knows what the process does
        self._coverage.set_option("run:disable_warnings", ["no-data-collected", "module-not-measured"])
        self._has_started = False

    def start(self, name: str) -> None:
        """What runs from now on is of that name."""
        if not self._has_started:
            self._coverage.start()
            self._has_started = True
        self._coverage.switch_context(name)

    def stop(self) -> dict[str, dict[int, list[str]]]:
        """For each path and line the names."""
        self._coverage.stop()
        data = self._coverage.get_data()
        return {path: data.contexts_by_lineno(path) for path in self._paths}


@dataclass
class Covered:
    """What the tests did without any mutant."""

    seconds: dict[str, float] = field(default_factory=dict)
    """Of each test that passes."""
    lines: dict[str, dict[int, list[str]]] = field(default_factory=dict)
    """By path and line, the tests."""
    starting: set[str] = field(default_factory=set)
    """Tests that start processes."""

    def tests(self, path: str, lines: range) -> list[str]:
        """Those that run one of these lines, quickest first; last those whose processes may run them."""
        running = {test for line in lines for test in self.lines.get(path, {}).get(line, ())}
        chosen = (running | self.starting) & self.seconds.keys()
        return sorted(chosen, key=lambda test: (test not in running, self.seconds[test], test))

    def limit(self, test: str, least: float) -> float:
        """Seconds for a test of a mutant."""
        return least * (1 + self.seconds[test])

    def text(self) -> str:
        """In one line."""
        return json.dumps({**vars(self), "starting": sorted(self.starting)})

    @classmethod
    def parsed(cls, text: str) -> "Covered":
        known = json.loads(text)
        lines = {path: {int(line): tests for line, tests in lines.items()} for path, lines in known["lines"].items()}
        return cls(known["seconds"], lines, set(known["starting"]))


def statement_of(mutant: Mutant, source: str) -> range:
    """The lines of the statement that is changed; of one that has a body, those of its head."""
    statements = (_head(node) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.stmt))
    return min((lines for lines in statements if mutant.line in lines), key=len)


def _head(statement: ast.stmt) -> range:
    inner = [child for child in ast.walk(statement) if isinstance(child, ast.stmt) and child is not statement]
    end = (statement.end_lineno or statement.lineno) + 1
    return range(statement.lineno, max(min((child.lineno for child in inner), default=end), statement.lineno + 1))


def note_processes(starting: set[str], test: Callable[[], str]) -> None:
    """Adds each test that starts a process. A hook of the audit stays: for a process that ends soon."""

    def heard(event: str, _: Sequence[object]) -> None:
        if event in PROCESS_EVENTS:
            starting.add(test())

    sys.addaudithook(heard)
