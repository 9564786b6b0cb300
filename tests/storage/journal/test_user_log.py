"""The logs of users: where one begins, and that its offsets follow each other."""

from actors.auth.identity import Identity
from tests.builders import Ledger


def test_a_log_begins_with_its_first_entry_and_has_no_gap(ledger: Ledger, ana: Identity, bo: Identity) -> None:
    for _ in range(3):
        ledger.thread(ana, bo)
    ((first, newest),) = ledger.sql('SELECT "first", "offset" FROM user_log WHERE user_id = ?', bo.user.key)
    offsets = ledger.sql('SELECT "offset" FROM user_event WHERE user_id = ? ORDER BY "offset"', bo.user.key)
    assert first == 1
    assert [offset for (offset,) in offsets] == list(range(1, newest + 1))
    assert newest >= 3
