"""What messages ask of their readers."""

from collections.abc import Sequence
from typing import Any

import orjson
from peewee import Database, fn

from actors.resources.messages import AskedToAcknowledge
from storage.compiled import ManyRows
from storage.schema.acknowledgement_models import Acknowledgement, AcknowledgementRequest

A, R = Acknowledgement, AcknowledgementRequest


def of_messages(database: Database, keys: Sequence[int]) -> dict[int, AskedToAcknowledge]:
    """Message key → its request; messages that ask for nothing have none."""
    return {key: _asked(*row) for key, *row in _REQUESTS.run(database, [(key,) for key in keys])}


def _asked(named: str | None, urgent: int, asked: int, acknowledged: int) -> AskedToAcknowledge:
    user_ids = None if named is None else tuple(orjson.loads(named))
    return AskedToAcknowledge(user_ids, bool(urgent), asked, acknowledged)


def _requests(count: int) -> Any:
    query = R.select(R.message, R.named, R.urgent, fn.COUNT(A.user), fn.COUNT(A.acknowledged_at))
    return query.join(A, on=(A.message == R.message)).where(R.message.in_([0] * count)).group_by(R.message)


_REQUESTS = ManyRows(_requests)
