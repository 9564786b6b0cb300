"""What `make mutants` makes and runs."""

import ast

import pytest

from tests.mutation.core import CORE, ROOT, covering, files
from tests.mutation.mutants import Mutant, mutants_of

SOURCE = '''
LIMIT = 5

def spend(self, amount: int = 3) -> bool:
    """Whether it was there."""
    assert amount > 0
    logger.info("%s", 1 + 1)
    if self.left - amount < 0 or not self.open:
        return False
    self.left -= amount
    self.tell(f"é {amount + 1}", "é", True)
    return self.left == 0
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
        "return (self.left != 0)",
        "return self.left == (-1)",
        "return self.left == 1",
    ]
    assert str(made[0]) == "a/b.py:8: self.left - amount  →  (self.left + amount)"
    assert "-    if self.left - amount < 0 or not self.open:" in made[0].diff(SOURCE.encode()).splitlines()


def test_every_mutant_is_code() -> None:
    path = "actors/threads/presence.py"
    source = (ROOT / path).read_bytes()
    for mutant in mutants_of(path, source.decode())[::5]:
        ast.parse(mutant.applied(source).decode())


@pytest.mark.parametrize("pattern", CORE)
def test_files_and_tests_of_the_core_are_there(pattern: str) -> None:
    assert files(pattern)
    for path in files(pattern):
        assert all((ROOT / test).exists() for test in covering(path, pattern))
