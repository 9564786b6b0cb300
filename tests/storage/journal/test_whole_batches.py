"""Commands that belong together: all of them, or none."""

import pytest

from actors.errors import NotFound
from actors.resources.members import AddMember, RemoveMember
from tests.builders import Ledger


def test_a_refusal_undoes_what_came_before_it(ledger: Ledger) -> None:
    ana, bo, cy = ledger.user("ana"), ledger.user("bo"), ledger.user("cy")
    thread = ledger.thread(ana)
    adds = AddMember(identity=ana, thread_id=thread.id, user_id=bo.user.id)
    refused = RemoveMember(identity=cy, thread_id=thread.id, user_id=ana.user.id)
    before = ledger.one("SELECT position FROM log_head")
    with pytest.raises(NotFound):
        ledger.store.apply_whole([adds, refused])
    assert ledger.one("SELECT count(*) FROM member") == 1
    assert ledger.one("SELECT position FROM log_head") == before
    assert len(ledger.store.apply_whole([adds])) == 1
    assert ledger.one("SELECT count(*) FROM member") == 2
