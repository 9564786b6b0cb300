"""The security checklist is whole, and names tests that exist."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "security-checklist.md").read_text()
ROWS = re.findall(r"^\| ((?:V|API)[\d.]+(?::2023)?) \| (.+?) \| (.+?) \| (.+) \|$", PAGE, re.MULTILINE)
TESTS = sorted(set(re.findall(r"`(tests/[^`]+?\.py(?:::\w+)?)`", PAGE)))
VERDICTS = {"holds", "does not apply", "does not hold"}
ASVS = {
    "V2.1": "1-12", "V2.2": "1-3", "V2.3": "1-3", "V2.4": "1-5", "V2.5": "1-7", "V2.6": "1-3", "V2.7": "1-6",
    "V2.8": "1-6", "V2.9": "1-3", "V3.1": "1", "V3.2": "1-4", "V3.3": "1,3,4", "V3.4": "1-5", "V3.5": "1-3",
    "V3.7": "1", "V4.1": "1-3,5", "V4.2": "1-2", "V4.3": "1-3", "V5.1": "1-5", "V5.2": "1-8", "V5.3": "1-10",
    "V5.4": "1-3", "V5.5": "1-4", "V6.1": "1-3", "V6.2": "1-6", "V6.3": "1-2", "V6.4": "1-2", "V7.1": "1-4",
    "V7.2": "1-2", "V7.3": "1,3,4", "V7.4": "1-3", "V8.1": "1-4", "V8.2": "1-3", "V8.3": "1-8", "V9.1": "1-3",
    "V9.2": "1-4", "V11.1": "1-8", "V12.1": "1-3", "V12.2": "1", "V12.3": "1-6", "V12.4": "1-2", "V12.5": "1-2",
    "V12.6": "1", "V13.1": "1,3-5", "V13.2": "1-3,5,6", "V13.3": "1-2", "V13.4": "1-2", "V14.1": "1-4",
    "V14.2": "1-6", "V14.3": "2-3", "V14.4": "1-7", "V14.5": "1-4",
}  # fmt: skip
"""Section → items of level 1 and 2 in ASVS 4.0.3. Numbers that are left out were deleted there, or are of level 3."""


def _items() -> list[str]:
    found = []
    for section, numbers in ASVS.items():
        for part in numbers.split(","):
            first, _, last = part.partition("-")
            found += [f"{section}.{number}" for number in range(int(first), int(last or first) + 1)]
    return found


def test_every_item_of_the_chapters_is_there_once_and_in_order() -> None:
    assert [ident for ident, *_ in ROWS if ident.startswith("V")] == _items()


def test_the_ten_risks_of_apis_are_there() -> None:
    assert [ident for ident, *_ in ROWS if ident.startswith("API")] == [f"API{n}:2023" for n in range(1, 11)]


@pytest.mark.parametrize(("ident", "verdict", "why"), [(ident, verdict, why) for ident, _, verdict, why in ROWS])
def test_every_item_has_a_verdict_with_its_test_or_reason(ident: str, verdict: str, why: str) -> None:
    assert verdict in VERDICTS
    assert len(why) > 3
    if verdict == "holds":
        assert "`tests/" in why or "](../pyproject.toml)" in why


def test_the_count_is_right() -> None:
    """Of ASVS."""
    verdicts = [verdict for ident, _, verdict, _ in ROWS if ident.startswith("V")]
    said = re.search(r"Of the (\d+) items (\d+) hold, (\d+) do not apply, (\d+) do not hold", PAGE)
    assert said is not None
    counted = [len(verdicts), *(verdicts.count(each) for each in ("holds", "does not apply", "does not hold"))]
    assert [int(number) for number in said.groups()] == counted


@pytest.mark.parametrize("name", TESTS)
def test_every_test_that_is_named_exists(name: str) -> None:
    file, _, function = name.partition("::")
    tree = ast.parse((ROOT / file).read_text())
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert function in functions if function else any(each.startswith("test_") for each in functions)
