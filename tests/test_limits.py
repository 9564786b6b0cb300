"""Limits stand in `actors/limits/`, each once, and are read as `limits.NAME` when they are needed."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors import limits

ROOT = Path(__file__).parents[1]
HOUSE = ROOT / "actors" / "limits"
FILES = sorted(HOUSE.glob("[!_]*.py"))
READERS = [
    path
    for root in ("actors", "storage", "server", "cli", "bench", "examples", "tests")
    for path in ROOT.glob(f"{root}/**/*.py")
    if path.parent != HOUSE and "actors.limits" in path.read_text()
]


def declared(file: Path) -> Iterator[tuple[str, bool]]:
    """The names of the constants of a file, in order, and whether a reason stands below each."""
    body = ast.parse(file.read_text()).body
    for node, below in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, isinstance(below, ast.Expr)


def test_each_stands_once() -> None:
    names = [name for file in FILES for name, _ in declared(file)]
    assert len(names) > 300
    assert sorted(names) == sorted(set(names))
    assert set(names) == {name for name in vars(limits) if name.isupper()}


def imports(source: str) -> Iterator[str]:
    """What a file imports of the package of limits, other than the package itself."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[:2] == ["actors", "limits"]:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("actors.limits."))


def test_every_reader_reads_them_of_the_package() -> None:
    """A constant that is imported by its name keeps its value when a test changes the limit."""
    found = {str(path.relative_to(ROOT)): [*imports(path.read_text())] for path in READERS}
    assert {path: names for path, names in found.items() if names} == {}
    assert str(Path(__file__).relative_to(ROOT)) in found  # this file names such imports, in strings


@pytest.mark.parametrize(
    "source",
    ["from actors.limits import BLOCKS", "from actors.limits.blocks import BLOCKS", "import actors.limits.blocks"],
)
def test_an_import_past_the_package_is_found(source: str) -> None:
    assert [*imports(source)]
