"""When forms close: kept beside their message or artifact, so that the housekeeper finds those that nobody answered."""

from collections.abc import Iterable, Mapping
from typing import Final

import orjson

from actors.resources.actions import SubjectKind
from actors.resources.blocks import offers
from actors.resources.messages import Message
from storage.compiled import Prepared
from storage.journal.transaction import Transaction
from storage.schema.action_models import FormDeadline

D: Final = FormDeadline
_MARK: Final = '"expires_at"'
"""In the JSON of blocks: without it there is nothing to look for."""
_FORGET: Final[Mapping[SubjectKind, Prepared]] = {
    "message": Prepared(lambda given: D.delete().where(D.message == given.key)),
    "artifact": Prepared(lambda given: D.delete().where(D.artifact == given.key)),
}


def of_posts(tx: Transaction, messages: Iterable[Message]) -> None:
    """Of new messages. One without such a form costs a comparison."""
    for message in messages:
        if message.blocks is not None and _MARK in message.blocks:
            _write(tx, "message", message.key, offers.deadlines(orjson.loads(message.blocks)))


def of_message(tx: Transaction, key: int, blocks: str | None) -> None:
    """Of one whose blocks are others now."""
    found = offers.deadlines(orjson.loads(blocks)) if blocks is not None and _MARK in blocks else {}
    replace(tx, "message", key, found)


def replace(tx: Transaction, kind: SubjectKind, key: int, found: Mapping[str, int]) -> None:
    forget(tx, kind, key)
    _write(tx, kind, key, found)


def forget(tx: Transaction, kind: SubjectKind, key: int) -> None:
    _FORGET[kind].execute(tx.database, key=key)


def _write(tx: Transaction, kind: SubjectKind, key: int, found: Mapping[str, int]) -> None:
    """What has expired already is no news."""
    for block_id, instant in found.items():
        if instant > tx.now:
            tx.execute(D.insert(**{kind: key}, block_id=block_id, expires_at=instant))
