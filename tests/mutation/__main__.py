"""Whether the tests of the core would notice a mistake: makes mutants, one at a time, and runs the tests of each.

A mutant is killed where a test fails or hangs. It survives where all pass: then a test is missing, or the code does
nothing.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.mutation.core import CORE, ROOT, covering, files
from tests.mutation.mutants import Mutant, mutants_of

KILLED_PERCENT = 95
"""Of all mutants; fewer make an exit code of 1. Some change nothing that a test could see."""
TEST_SECONDS = 30
"""For one test of a mutant: what hangs is killed, too."""

OPTIONS = ("-x", "-q", "-p", "no:cacheprovider", "--hypothesis-profile=mutants", f"--timeout={TEST_SECONDS}")


def sample(count: int, seed: int, only: str) -> list[tuple[str, Mutant]]:
    """Mutants with the pattern of their file: the same ones for the same seed and code, file by file."""
    everything = [
        (pattern, mutant)
        for pattern in CORE
        for path in files(pattern)
        if path.startswith(only)
        for mutant in mutants_of(path, (ROOT / path).read_text())
    ]
    chosen = random.Random(seed).sample(range(len(everything)), min(count, len(everything)))
    return [everything[index] for index in sorted(chosen)]


def passes(tree: Path, tests: list[str], seconds: float, *, shown: bool = False) -> bool:
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", *OPTIONS, *tests],
        cwd=tree, stdout=None if shown else subprocess.DEVNULL, stderr=subprocess.STDOUT, start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"},  # no bytecode of a mutant is kept
    )  # fmt: skip
    try:
        return process.wait(seconds) == 0
    except subprocess.TimeoutExpired:
        return False
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def survives(tree: Path, mutant: Mutant, tests: list[str], seconds: float) -> bool:
    path = tree / mutant.path
    source = path.read_bytes()
    path.write_bytes(mutant.applied(source))
    try:
        return passes(tree, tests, seconds)
    finally:
        path.write_bytes(source)


def copy_tree(to: Path) -> None:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout.decode()
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, to / name)


def run(tree: Path, chosen: list[tuple[str, Mutant]]) -> list[Mutant]:
    """Those that survive."""
    survivors: list[Mutant] = []
    bounds: dict[str, float] = {}
    for pattern, mutant in chosen:
        if pattern not in bounds:
            began = time.monotonic()
            if not passes(tree, list(CORE[pattern]), 900, shown=True):
                sys.exit(f"The tests of {pattern} fail without any mutant.")
            bounds[pattern] = 3 * (time.monotonic() - began) + TEST_SECONDS
        has_survived = survives(tree, mutant, covering(mutant.path, pattern), bounds[pattern])
        survivors += [mutant] * has_survived
        print("SURVIVES" if has_survived else "killed  ", mutant, flush=True)
    return survivors


def report(made: int, survivors: list[Mutant]) -> int:
    """Prints it; answers the exit code."""
    for mutant in survivors:
        print(f"\n{mutant}\n{mutant.diff((ROOT / mutant.path).read_bytes())}")
    percent = 100 * (made - len(survivors)) / made if made else 100.0
    print(f"\n{made - len(survivors)} of {made} mutants were killed: {percent:.1f} %; expected: {KILLED_PERCENT} %.")
    return int(percent < KILLED_PERCENT)


def main() -> None:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="how many mutants are made (200)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same mutants of the same code (1)")
    parser.add_argument("--only", default="", help="only of files whose path begins so")
    given = parser.parse_args()
    chosen = sample(given.count, given.seed, given.only)
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copy_tree(Path(folder))
        survivors = run(Path(folder), chosen)
    sys.exit(report(len(chosen), survivors))


if __name__ == "__main__":
    main()
