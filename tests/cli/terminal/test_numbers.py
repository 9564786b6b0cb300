"""Numbers that no database can be asked for."""

import pytest

from tests.builders import Ledger
from tests.cli.conftest import Xp


@pytest.mark.parametrize(
    "arguments", [("thread", "tail", "x", "--after"), ("audit", "list", "--limit"), ("files", "list", "--limit")]
)
def test_a_number_beyond_all(arguments: tuple[str, ...], xp: Xp, ledger: Ledger) -> None:
    ran = xp(*arguments, str(2**53))
    assert (ran.code, f"expected at most {2**53 - 1}; got {2**53}." in ran.err) == (2, True)
    assert "expected at most" not in xp(*arguments, str(2**53 - 1)).err
