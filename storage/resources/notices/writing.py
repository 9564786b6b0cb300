"""Notices are ended: sent, or given up."""

from actors.outcomes import Done
from actors.resources.notices import DropNotices, EndNotice, NoticeState, next_attempt
from storage.journal.transaction import Transaction
from storage.journal.writers import writes
from storage.readers import rows
from storage.schema import notice_models

N = notice_models.Notice


@writes(EndNotice)
def end(tx: Transaction, command: EndNotice) -> Done[NoticeState]:
    waiting = (N.id == command.key) & (N.state == "pending")
    row = rows.first(tx.database, N.select(N.created_at, N.attempts).where(waiting))
    if row is None:
        return Done("failed")
    created_at, attempts = row
    again = next_attempt(created_at, attempts + 1, tx.now) if command.retry else None
    state: NoticeState = command.state if again is None else "pending"
    columns = {"state": state, "attempts": attempts + 1, **({} if again is None else {"not_before": again})}
    tx.execute(N.update(columns).where(waiting))
    return Done(state)


@writes(DropNotices)
def drop(tx: Transaction, _: DropNotices) -> Done[int]:
    return Done(int(tx.execute(N.update(state="failed").where(N.state == "pending"))))
