"""No module needs itself: imports make no circle, also where only the type checker follows them."""

import ast
from collections.abc import Iterator, Sequence
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAYERS = ("actors", "storage", "server", "cli")


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {_name(path): path for layer in LAYERS for path in (ROOT / layer).rglob("*.py")}


def imports(body: Sequence[ast.stmt]) -> Iterator[str]:
    """Names that a module imports when it is loaded or type-checked; what its functions import does not count."""
    for node in body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in MODULES else str(node.module)
        elif isinstance(node, ast.If | ast.Try):
            yield from imports([*node.body, *node.orelse])


def check(sources: dict[str, str]) -> None:
    """Raises `CycleError`, which names the modules of a circle."""
    graph = {name: set(imports(ast.parse(text).body)) - {name} for name, text in sources.items()}
    TopologicalSorter({name: found & sources.keys() for name, found in graph.items()}).prepare()


def test_imports_make_no_circle() -> None:
    check({name: path.read_text() for name, path in MODULES.items()})


def test_a_circle_would_be_found() -> None:
    for_types = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import a"
    with pytest.raises(CycleError, match=r"a.*b|b.*a"):
        check({"a": "import b", "b": for_types})
