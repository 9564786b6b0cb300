"""What `make mutants` makes and runs."""

import ast
import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
from peewee import SqliteDatabase

from storage.compiled import Shaped
from tests.mutation.__main__ import sample
from tests.mutation.core import CORE, LEFT_OUT, ROOT, TESTS, files
from tests.mutation.covered import Covered, forget_compiled, statement_of, statements
from tests.mutation.forks import Say, forked
from tests.mutation.mutants import Mutant, mutants_of

SOURCE = '''
LIMIT = 5

def spend(self, amount: int = 3) -> bool:
    """Whether it was there."""
    assert amount > 0
    pairs = zip(self.row, self.row, strict=True)
    logger.info("%s", 1 + 1)
    if self.left - amount < 0 or not self.open:
        return False
    self.left -= amount
    self.tell(f"é {amount + 1}", "é", True)
    return self.left == self.row[0]
'''


def changed_lines(mutant: Mutant) -> list[str]:
    before = SOURCE.splitlines()
    after = mutant.applied(SOURCE.encode()).decode().splitlines()
    assert len(before) == len(after)
    return [new.strip() for old, new in zip(before, after, strict=True) if old != new]


def test_each_mutant_is_one_small_mistake_in_a_body() -> None:
    made = mutants_of("a/b.py", SOURCE)
    assert [line for mutant in made for line in changed_lines(mutant)] == [
        "if (self.left + amount) < 0 or not self.open:",
        "if (self.left - amount >= 0) or not self.open:",
        "if (self.left - amount < 0 and (not self.open)):",
        "if self.left - amount < (-1) or not self.open:",
        "if self.left - amount < 1 or not self.open:",
        "if self.left - amount < 0 or (self.open):",
        "return True",
        "pass",
        "pass",
        'self.tell(f"é {amount + 1}", "é", False)',
        "return None",
        "return (self.left != self.row[0])",
        "return self.left == (self.row[1])",
    ]
    assert str(made[0]) == "a/b.py:9: self.left - amount  →  (self.left + amount)"
    assert "-    if self.left - amount < 0 or not self.open:" in made[0].diff(SOURCE.encode()).splitlines()


def test_every_mutant_is_code() -> None:
    path = "actors/threads/presence.py"
    source = (ROOT / path).read_bytes()
    for mutant in mutants_of(path, source.decode())[::5]:
        ast.parse(mutant.applied(source).decode())


def test_files_and_tests_of_the_core_are_there() -> None:
    assert all(files(pattern) for pattern in CORE)
    assert all((ROOT / path).exists() for path in (*TESTS, *LEFT_OUT))


def test_a_choice_of_a_sample_is_a_part_of_it() -> None:
    whole = sample(200, 1, [""])
    chosen = sample(200, 1, ["actors/runtime", f"{whole[-1].path}:{whole[-1].line}:"])
    assert chosen == [*(mutant for mutant in whole if mutant.path.startswith("actors/runtime")), whole[-1]]


# Which tests a mutant is tried against


def test_a_changed_statement_has_all_its_lines_but_not_its_body() -> None:
    source = "def f(a):\n    if (\n        a\n        or 1\n    ):\n        return [\n            2,\n        ]\n"
    lines = {mutant.line: statement_of(mutant, source) for mutant in mutants_of("a.py", source)}
    assert lines == {3: range(2, 6), 4: range(2, 6), 6: range(6, 9), 7: range(6, 9)}


def test_the_closest_that_run_a_line_are_first_and_the_quickest_of_each_file() -> None:
    seconds = {"tests/a/test_slow.py::one": 2.0, "tests/a/test_b.py::two": 1.0, "tests/c/test_d.py::three": 0.1}
    slow, close, quick = seconds
    covered = Covered(
        {**seconds, "elsewhere": 0.1}, {"a/b.py": {1: [slow, quick], 2: [close, "fails"], 3: ["elsewhere"]}}
    )
    assert covered.tests("a/b.py", range(1, 3)) == [close, slow, quick]
    assert covered.all_tests("a/b.py", range(1, 3)) == [close, slow, quick, "elsewhere"]
    assert covered.within([close, slow, quick], 3.05) == [close, slow]


def test_a_line_that_no_test_runs_may_be_run_by_a_process_that_a_test_starts() -> None:
    covered = Covered({"plain": 1.0, "starts one": 2.0}, {"a.py": {1: ["plain"]}}, {"starts one"})
    assert covered.tests("a.py", range(1, 2)) == ["plain"]
    assert covered.tests("a.py", range(2, 3)) == ["starts one"]


def test_each_test_is_seen_to_make_the_statements_that_it_executes() -> None:
    made = []
    shaped = Shaped(lambda _, **shape: made.append(shape))
    (found,) = [each for each in statements() if each is shaped]
    for _ in range(2):
        forget_compiled([found])
        with pytest.raises(AttributeError):  # what was made is no query
            shaped.of(by_name=True).execute(SqliteDatabase(":memory:"))
    assert made == [{"by_name": True}] * 2


def test_what_two_forks_measured_is_put_together() -> None:
    covered = Covered({"one": 1.0}, {"a.py": {1: ["one", "fails"]}}, {"one"})
    covered.add(Covered.parsed(Covered({"two": 2.0}, {"a.py": {1: ["two"], 2: ["two"]}}).text()))
    assert Covered.parsed(covered.text()) == Covered(
        {"one": 1.0, "two": 2.0}, {"a.py": {1: ["one", "two"], 2: ["two"]}}, {"one"}
    )


def test_a_fork_says_lines_until_it_ends_and_takes_its_files_with_it(tmp_path: Path) -> None:
    def work(say: Say) -> None:
        say(os.environ["TMPDIR"])
        raise SystemExit(1)

    (folder,) = forked(work, 30)
    assert not Path(folder).exists()


CODE = """
def double(number):
    return number + number

def unseen(number):
    return number + 1

ONE = double(0) + 1

def times(function):
    return lambda number: function(number) - 2

@times
def three(number):
    return number + 3
"""
TESTS_OF_OURS = """
import code_of_ours

def test_double(): assert code_of_ours.double(0) == 0
def test_three(): assert code_of_ours.three(0) == 1
"""
CONFTEST = """
from hypothesis import settings
settings.register_profile("mutants", database=None)
"""


def test_verdicts_of_mutants(tmp_path: Path) -> None:
    for name, text in (("code_of_ours.py", CODE), ("test_ours.py", TESTS_OF_OURS), ("conftest.py", CONFTEST)):
        (tmp_path / name).write_text(text)
    mutants = [mutant for mutant in mutants_of("code_of_ours.py", CODE) if mutant.before.startswith("number ")]
    kept = tmp_path / "kept"
    job = {
        "tests": ["test_ours.py"], "paths": ["code_of_ours.py"], "mutants": [asdict(mutant) for mutant in mutants],
        "kept": str(kept),
    }  # fmt: skip
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    tried = subprocess.run(
        [sys.executable, "-m", "tests.mutation.trials"], check=True, input=json.dumps(job).encode(),
        stdout=subprocess.PIPE, cwd=tmp_path, env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    verdicts = [json.loads(line) for line in tried.stdout.splitlines()]
    words = {mutant.before: verdict["word"] for mutant, verdict in zip(mutants, verdicts, strict=True)}
    assert words == {"number + number": "fresh", "number + 1": "survives", "number + 3": "killed"}
    assert (tmp_path / "code_of_ours.py").read_text() == CODE
    assert Covered.parsed(kept.read_text()).seconds.keys() == {"test_ours.py::test_double", "test_ours.py::test_three"}
