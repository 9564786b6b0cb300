"""A message that was deleted asks for nothing any more."""

from storage.compiled import Prepared
from storage.journal.transaction import Transaction
from storage.resources.acknowledgements.records import R

_FORGET = Prepared(lambda given: R.delete().where(R.message == given.message))


def forget_message(tx: Transaction, message_key: int) -> None:
    """Who was asked goes with it."""
    _FORGET.execute(tx.database, message=message_key)
