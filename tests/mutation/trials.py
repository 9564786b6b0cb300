"""Tries mutants in forks of one process that has imported the code and collected the tests.

A program of its own, started in a copy of the tree: takes a job in stdin, and writes a line to stdout for each verdict.
"""

import functools
import itertools
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TextIO

import pytest

from tests.mutation.covered import (
    Covered,
    Tracer,
    forget_compiled,
    note_processes,
    statement_of,
    statements,
)
from tests.mutation.forks import Say, forked
from tests.mutation.mutants import Mutant
from tests.mutation.swapping import Functions, functions_of, swap

TEST_SECONDS = 6
"""For a test of a mutant that takes no time without it, and more for a longer one (`Covered.limit`)."""
AGAIN_SECONDS = 12
"""The same for a test that took too long, tried alone. Many wait up to 30 s for a condition; a mutant need not."""
OVERTIME_SECONDS = 10
"""For a process whose test does not end when its time is over."""
MEASURED_SECONDS = 3 * 3600
"""For all tests once."""
TRIED_SECONDS = 120
"""For all tests of a mutant that none of them kills, as long as they take without it."""

OPTIONS = ("-q", "-p", "no:cacheprovider", "--hypothesis-profile=mutants", "--timeout=60")


@dataclass
class Verdict:
    word: str
    """killed; hangs: a test that passes without the mutant takes too long, twice; survives; unclear: a test took too
    long, but did not when tried again, or it is slow without the mutant, too; or fresh: only a new process can tell."""
    test: str = ""
    """Which one kills it; of one that survives, how many were tried."""
    seconds: float = 0.0
    tests: list[str] = field(default_factory=list)
    """For a new process."""


@dataclass(frozen=True)
class Outcome:
    """How some tests went."""

    failed: str = ""
    """The name of the one that did, or did not end."""
    is_slow: bool = False
    """It took half its time or more."""
    is_possible: bool = True
    """False where this process cannot become the mutant."""


class Trials:
    """A plugin of pytest: in place of running the tests once, runs those that matter for each mutant."""

    def __init__(
        self, tree: Path, paths: Sequence[str], mutants: Sequence[Mutant], kept: Path | None, out: TextIO
    ) -> None:
        self._tree = tree
        self._paths = paths
        self._mutants = mutants
        self._kept = kept
        self._out = out
        self._items: dict[str, pytest.Item] = {}
        self._functions: Functions = {}
        self._covered = Covered()
        self._has_failed = False
        self._imports = Tracer(tree, paths)
        self._imports.start("imports")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        imported = self._imports.stop()
        self._items = {item.nodeid: item for item in session.items}
        self._functions = functions_of(self._tree)
        self._covered = self._what_tests_cover()
        for mutant in self._mutants:
            began = time.monotonic()
            lines = statement_of(mutant, (self._tree / mutant.path).read_text())
            is_imported = not imported[mutant.path].keys().isdisjoint(lines)
            verdict = self._fresh(mutant, lines) if is_imported else self._tried(mutant, lines)
            verdict.seconds = round(time.monotonic() - began, 1)
            print(json.dumps(asdict(verdict)), file=self._out, flush=True)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._has_failed |= report.failed

    def _fresh(self, mutant: Mutant, lines: range) -> Verdict:
        tests = self._covered.within(self._covered.all_tests(mutant.path, lines), TRIED_SECONDS)
        return Verdict("fresh", tests=tests)

    def _tried(self, mutant: Mutant, lines: range) -> Verdict:
        every = self._covered.tests(mutant.path, lines)
        tests = self._covered.within(every, TRIED_SECONDS)
        first = self._run(mutant, tests, TEST_SECONDS)
        if not first.is_possible:
            return self._fresh(mutant, lines)
        if not first.failed:
            return Verdict("survives", f"{len(tests)} of {len(every)} tests")
        if not first.is_slow:
            return Verdict("killed", first.failed)
        second = self._run(mutant, [first.failed], AGAIN_SECONDS)
        if not second.failed:
            return Verdict("unclear", first.failed)
        if not second.is_slow:
            return Verdict("killed", first.failed)
        without = self._run(None, [first.failed], TEST_SECONDS)
        return Verdict("unclear" if without.failed else "hangs", first.failed)

    def _run(self, mutant: Mutant | None, tests: list[str], least_seconds: float) -> Outcome:
        """Until one fails."""
        if mutant is None:
            return self._outcome(None, tests, least_seconds)
        path = self._tree / mutant.path
        before = path.read_bytes()
        path.write_bytes(mutant.applied(before))  # for processes that the tests start
        try:
            return self._outcome((path, before), tests, least_seconds)
        finally:
            path.write_bytes(before)

    def _outcome(self, changed: tuple[Path, bytes] | None, tests: list[str], least_seconds: float) -> Outcome:
        limits = {test: self._covered.limit(test, least_seconds) for test in tests}
        test, since = "", time.monotonic()

        def work(say: Say) -> None:
            if changed is not None:
                swap(self._functions, *changed)
            for test, following in itertools.zip_longest(tests, tests[1:]):
                say(test)
                self._items[test].add_marker(pytest.mark.timeout(limits[test]), append=False)
                if not self._passes(test, following):
                    return
            say("all pass")

        for line in forked(work, max(limits.values(), default=0) + OVERTIME_SECONDS):
            if line == "all pass":
                return Outcome()
            test, since = line, time.monotonic()
        if not test:
            return Outcome(is_possible=False)
        return Outcome(test, is_slow=time.monotonic() - since > limits[test] / 2)

    def _passes(self, test: str, following: str | None) -> bool:
        item = self._items[test]
        self._has_failed = False
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following and self._items[following])
        return not self._has_failed

    def _what_tests_cover(self) -> Covered:
        """All tests once, without any mutant, but those of which it is known. Those that fail are of no use."""
        covered = Covered()
        if self._kept and self._kept.exists():
            covered = Covered.parsed(self._kept.read_text())
        parts = self._parts([test for test in self._items if test not in covered.seconds])
        for (said,) in [forked(functools.partial(self._measure, part), MEASURED_SECONDS) for part in parts]:
            covered.add(Covered.parsed(said))
        if self._kept:
            self._kept.write_text(covered.text())
        covered.seconds = {test: covered.seconds[test] for test in self._items if test in covered.seconds}
        return covered

    def _parts(self, tests: Sequence[str]) -> list[list[str]]:
        """Whole files for each processor."""
        parts: list[list[str]] = [[] for _ in range(os.cpu_count() or 1)]
        for _, tests_of_file in itertools.groupby(tests, key=lambda test: test.partition("::")[0]):
            min(parts, key=len).extend(tests_of_file)
        return parts

    def _measure(self, tests: Sequence[str], say: Say) -> None:
        covered = Covered()
        current = ""
        tracer = Tracer(self._tree, self._paths)
        note_processes(covered.starting, lambda: current)
        compiled = statements()
        for current, following in itertools.zip_longest(tests, tests[1:]):
            forget_compiled(compiled)
            began = time.monotonic()
            tracer.start(current)
            if self._passes(current, following):
                covered.seconds[current] = time.monotonic() - began
            else:
                print("Fails without any mutant:", current, flush=True)
        covered.lines = tracer.stop()
        say(covered.text())


def main() -> None:
    job = json.load(sys.stdin)
    with os.fdopen(os.dup(1), "w") as out:
        os.dup2(2, 1)  # what pytest prints is not a verdict
        mutants = [Mutant(**given) for given in job["mutants"]]
        trials = Trials(Path.cwd(), job["paths"], mutants, job["kept"] and Path(job["kept"]), out)
        sys.exit(pytest.main([*OPTIONS, *job["tests"]], plugins=[trials]))


if __name__ == "__main__":
    main()
