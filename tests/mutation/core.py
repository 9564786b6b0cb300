"""The core: the files of which mutants are made, and the tests that have to notice them."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
CORE = (
    "actors/runtime/*.py", "actors/journal/*.py", "actors/threads/*.py", "actors/delivery/*.py", "actors/auth/*.py",
    "storage/journal/*.py", "storage/resources/*/writing.py", "server/auth/tokens.py", "server/limits/rate_limits.py",
    "server/realtime/session/*.py",
)  # fmt: skip
TESTS = ("tests/actors", "tests/storage", "tests/server")
LEFT_OUT = (
    "tests/actors/text", "tests/server/operations/sweep", "tests/server/previews",
    "tests/server/test_foreign_parsers.py", "tests/storage/search/test_model.py",
)  # fmt: skip
"""They take minutes, and are about other code or about all of it."""


def files(pattern: str) -> list[str]:
    return sorted(str(path.relative_to(ROOT)) for path in ROOT.glob(pattern))
