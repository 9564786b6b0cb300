"""Which tests run which lines, and how long each takes: what a mutant needs to be tried against, the closest first."""

import ast
import gc
import itertools
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import coverage

from tests.mutation.mutants import Mutant

PROCESS_EVENTS = {"subprocess.Popen", "os.fork", "os.posix_spawn", "socket.sendmsg"}
"""Of Python's audit: a test starts a process, or asks one that forks for it. What that one runs is not seen."""


class Tracer:
    """The lines of some files that this process runs, by what it does then."""

    def __init__(self, tree: Path, paths: Iterable[str]) -> None:
        self._paths = {path: str(tree / path) for path in paths}
        self._coverage = coverage.Coverage(data_file=None, config_file=False, include=list(self._paths.values()))
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
        return {path: data.contexts_by_lineno(absolute) for path, absolute in self._paths.items()}


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
        """Those that run one of these lines, or whose processes may; in the order of `_in_order`."""
        running = {test for line in lines for test in self.lines.get(path, {}).get(line, ())}
        return self._in_order(path, running or self.starting)

    def all_tests(self, path: str, lines: range) -> list[str]:
        """First those that run one of these lines, then all others."""
        first = self.tests(path, lines)
        return first + self._in_order(path, self.seconds.keys() - set(first))

    def _in_order(self, path: str, tests: Iterable[str]) -> list[str]:
        """The closest first, and of each file of tests the quickest: others there ask for something similar."""
        files: Counter[str] = Counter()
        ranks = {}
        for test in sorted(set(tests) & self.seconds.keys(), key=lambda test: (self.seconds[test], test)):
            ranks[test] = files[test.partition("::")[0]]
            files[test.partition("::")[0]] += 1
        by_rank = sorted(ranks, key=lambda test: ranks[test])
        return sorted(by_rank, key=lambda test: closeness(path, test), reverse=True)

    def limit(self, test: str, least: float) -> float:
        """Seconds for a test of a mutant."""
        return least * (1 + self.seconds[test])

    def within(self, tests: Sequence[str], seconds: float) -> list[str]:
        """As many as take that long together."""
        ends = itertools.accumulate(self.seconds[test] for test in tests)
        return [test for test, end in zip(tests, ends, strict=True) if end <= seconds]

    def add(self, other: "Covered") -> None:
        """What other tests did."""
        self.seconds |= other.seconds
        self.starting |= other.starting
        for path, lines in other.lines.items():
            for line, tests in lines.items():
                self.lines.setdefault(path, {}).setdefault(line, []).extend(tests)

    def text(self) -> str:
        """In one line. A line of code may be run by thousands of tests: these have numbers."""
        numbers = {test: number for number, test in enumerate(self.seconds)}
        lines = {
            path: {line: [numbers[test] for test in tests if test in numbers] for line, tests in lines.items()}
            for path, lines in self.lines.items()
        }
        return json.dumps({"seconds": self.seconds, "lines": lines, "starting": sorted(self.starting)})

    @classmethod
    def parsed(cls, text: str) -> "Covered":
        known = json.loads(text)
        names = list(known["seconds"])
        lines = {
            path: {int(line): [names[number] for number in numbers] for line, numbers in lines.items()}
            for path, lines in known["lines"].items()
        }
        return cls(known["seconds"], lines, set(known["starting"]))


def closeness(path: str, test: str) -> tuple[bool, int]:
    """(whether the path of the test has the name of the file or of its folder, how many folders it shares with the one
    that mirrors the file's)."""
    source, file = Path("tests", path), Path(test.partition("::")[0])
    words = {word for part in file.with_suffix("").parts for word in (part, part.removeprefix("test_"))}
    pairs = zip(source.parts[:-1], file.parts[:-1], strict=False)
    shared = itertools.takewhile(lambda pair: pair[0] == pair[1], pairs)
    return not words.isdisjoint({source.stem, source.parent.name}), len(list(shared))


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


def statements() -> list[Any]:
    """Those of the store that are compiled when they are first executed."""
    from storage.compiled import ManyRows, Prepared, Shaped  # not before imports are traced

    return [each for each in gc.get_objects() if type(each) in (ManyRows, Prepared, Shaped)]


def forget_compiled(statements: Iterable[Any]) -> None:
    """Else only the first test of a process is seen to run the code that makes a statement."""
    for each in statements:
        type(each).__init__(each, each._build)
