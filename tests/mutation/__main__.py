"""Whether the tests of the core would notice a mistake: makes mutants, one at a time, and runs the tests of each.

A mutant is killed where a test fails or hangs. It survives where all pass: then a test is missing, or the code does
nothing. Of many tests that run a line the first two minutes are tried, those with the name of its file before others:
look whether a test that was left out fails before you write one (`--only path:line: --tests …`).
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from tests.mutation.core import CORE, LEFT_OUT, ROOT, TESTS, files
from tests.mutation.mutants import Mutant, mutants_of
from tests.mutation.trials import OPTIONS, Verdict

KILLED_PERCENT = 95
"""Of all mutants; fewer make an exit code of 1. Some change nothing that a test could see."""
LOG = Path(tempfile.gettempdir()) / "mutants.log"
"""What pytest prints."""
HANGS_SECONDS = 900
"""For all tests of a mutant in a process of their own."""
EVERY_TEST = (*TESTS, *(f"--ignore={path}" for path in LEFT_OUT))


def sample(count: int, seed: int, only: Sequence[str]) -> list[Mutant]:
    """The same mutants for the same seed and code, file by file; `only` chooses some of them."""
    everything = [
        mutant for pattern in CORE for path in files(pattern) for mutant in mutants_of(path, (ROOT / path).read_text())
    ]
    chosen = random.Random(seed).sample(range(len(everything)), min(count, len(everything)))
    return [everything[index] for index in sorted(chosen) if str(everything[index]).startswith(tuple(only))]


def copy_tree(to: Path) -> None:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout.decode()
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, to / name)


def run(tree: Path, mutants: list[Mutant], tests: Sequence[str], kept: str) -> list[tuple[Mutant, Verdict]]:
    found = list(zip(mutants, tried(tree, mutants, tests, kept), strict=True))
    for mutant, verdict in found:
        if verdict.word == "fresh":
            verdict.word = fresh(tree, mutant, verdict.tests)
            print(shown(mutant, verdict), flush=True)
    return found


def shown(mutant: Mutant, verdict: Verdict) -> str:
    return f"{verdict.word:8} {mutant}  ({verdict.seconds} s {verdict.test})"


def tried(tree: Path, mutants: list[Mutant], tests: Sequence[str], kept: str) -> list[Verdict]:
    verdicts: list[Verdict] = []
    paths = [path for pattern in CORE for path in files(pattern)]
    job = {"tests": tests, "paths": paths, "mutants": [asdict(mutant) for mutant in mutants], "kept": kept}
    with program(tree, ["-m", "tests.mutation.trials"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(json.dumps(job).encode())
        process.stdin.close()
        for mutant, line in zip(mutants, process.stdout, strict=False):
            verdicts.append(Verdict(**json.loads(line)))
            print(shown(mutant, verdicts[-1]), flush=True)
    if len(verdicts) < len(mutants):
        sys.exit(f"Not all mutants could be tried; see {LOG}.")
    return verdicts


def fresh(tree: Path, mutant: Mutant, tests: list[str]) -> str:
    """The tests of a mutant in a program of their own."""
    path = tree / mutant.path
    source = path.read_bytes()
    path.write_bytes(mutant.applied(source))
    try:
        with program(tree, ["-m", "pytest", "-x", *OPTIONS, *tests], stdout=subprocess.DEVNULL) as process:
            return "killed" if process.wait(HANGS_SECONDS) else "survives"
    except subprocess.TimeoutExpired:
        return "unclear"
    finally:
        path.write_bytes(source)


@contextmanager
def program(tree: Path, arguments: list[str], **streams: int) -> Iterator[subprocess.Popen[bytes]]:
    """Python in the tree; it keeps no bytecode of mutants, and leaves no process behind."""
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    with open(LOG, "ab") as log:
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=tree, env=environment, start_new_session=True, stderr=log, **streams
        )
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def report(found: list[tuple[Mutant, Verdict]]) -> int:
    """Prints it; answers the exit code."""
    counted = Counter(verdict.word for _, verdict in found)
    for mutant, verdict in found:
        if verdict.word in ("survives", "unclear"):
            print(f"\n{verdict.word}: {mutant}\n{mutant.diff((ROOT / mutant.path).read_bytes())}")
    killed = counted["killed"] + counted["hangs"]
    percent = 100 * killed / len(found) if found else 100.0
    print(f"\n{killed} of {len(found)} mutants were killed: {percent:.1f} %; expected: {KILLED_PERCENT} %.")
    print(", ".join(f"{count} {word}" for word, count in counted.most_common()))
    return int(percent < KILLED_PERCENT)


def main() -> None:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="how many mutants are made (200)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same mutants of the same code (1)")
    parser.add_argument("--only", nargs="+", default=[""], help="of these only those whose path:line: begins so")
    parser.add_argument("--tests", nargs="+", default=EVERY_TEST, help="try only these (all that may notice a mutant)")
    parser.add_argument("--kept", default="", help="a file for what the tests cover: read, and extended by new tests")
    given = parser.parse_args()
    chosen = sample(given.count, given.seed, given.only)
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        folder = Path(name).resolve()
        copy_tree(folder)
        found = run(folder, chosen, given.tests, given.kept and str(Path(given.kept).resolve()))
    sys.exit(report(found))


if __name__ == "__main__":
    main()
