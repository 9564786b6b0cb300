"""A message that is written asks its readers to acknowledge it."""

from collections.abc import Sequence
from typing import Any

import orjson
from peewee import fn

from actors import limits
from actors.errors import Conflict, ValidationFailed, XpError
from actors.resources.messages import AskedToAcknowledge, AskToAcknowledge, Message, PostMessage
from actors.resources.user_events import UserEvent
from storage.compiled import insert_rows
from storage.journal.transaction import Transaction
from storage.readers import rows
from storage.resources.acknowledgements.records import A, R
from storage.resources.notifications.writing import Cause, notify
from storage.schema import models

_INSERT = insert_rows(A, (A.message, A.user))


def fault(tx: Transaction, post: PostMessage) -> XpError | None:
    """What speaks against what a message asks; None also where it asks for nothing."""
    wanted = post.acknowledgement
    if wanted is None:
        return None
    found = _people(tx, post, wanted)
    if wanted.user_ids is not None and (missing := set(wanted.user_ids) - {uid for _, uid in found}):
        others = f"other people who are members of the thread; {', '.join(sorted(missing)[:3])} is none"
        return ValidationFailed({"acknowledgement.user_ids": [f"expected {others}."]})
    if not found:
        return ValidationFailed({"acknowledgement": ["there is nobody else in the thread who could acknowledge it."]})
    if len(found) > limits.ACKNOWLEDGEMENT_USERS:
        most = limits.ACKNOWLEDGEMENT_USERS
        return ValidationFailed({"acknowledgement": [f"asks at most {most} people; name the recipients."]})
    return _too_many_urgent(tx, post) if wanted.urgent else None


def _too_many_urgent(tx: Transaction, post: PostMessage) -> XpError | None:
    open_ones = (R.author == post.identity.user.key) & R.repeat_at.is_null(False)
    if rows.fetch(tx.database, R.select(fn.COUNT(R.message)).where(open_ones))[0][0] < limits.URGENT_OPEN:
        return None
    return Conflict(
        f"{limits.URGENT_OPEN} of your urgent messages still wait for acknowledgements; try again when some have them, "
        f"or in {limits.URGENT_REPEATS * limits.URGENT_REPEAT_SECONDS // 60} minutes, or ask without `urgent`."
    )


def _people(tx: Transaction, post: PostMessage, wanted: AskToAcknowledge) -> list[tuple[int, str]]:
    """(key, id) of the recipients, and one more where they are too many."""
    P, T, U = models.Member, models.Thread, models.User
    others = (T.uid == post.thread_id) & (U.status == "ACTIVE") & (U.kind == "HUMAN") & (U.id != post.identity.user.key)
    if wanted.user_ids is not None:
        others &= U.uid.in_(list(wanted.user_ids))
    query = P.select(U.id, U.uid).join(U, on=(P.user == U.id)).join_from(P, T, on=(P.thread == T.id)).where(others)
    return rows.fetch(tx.database, query.order_by(U.id).limit(limits.ACKNOWLEDGEMENT_USERS + 1))


def ask(tx: Transaction, post: PostMessage, message: Message, thread: tuple[int, str]) -> tuple[UserEvent, ...]:
    """Write what the message asks, and notify the recipients. `fault` has found none."""
    wanted = post.acknowledgement
    assert wanted is not None
    found = _people(tx, post, wanted)
    tx.execute(_request(tx, message, wanted))
    _INSERT.run(tx.database, [(message.key, key) for key, _ in found])
    message.acknowledgement = AskedToAcknowledge(wanted.user_ids, wanted.urgent, len(found), 0)
    return notify(tx, causes(message, thread, [key for key, _ in found]))


def _request(tx: Transaction, message: Message, wanted: AskToAcknowledge) -> Any:
    return R.insert(
        message=message.key, author=message.author.key, urgent=wanted.urgent,
        named=None if wanted.user_ids is None else orjson.dumps(wanted.user_ids).decode(),
        repeat_at=tx.now + limits.URGENT_REPEAT_SECONDS * 1000 if wanted.urgent else None,
    )  # fmt: skip


def causes(message: Message, thread: tuple[int, str], users: Sequence[int]) -> list[Cause]:
    is_urgent = message.acknowledgement is not None and message.acknowledgement.urgent
    return [Cause("acknowledgement", user, thread, message, message.author, is_urgent=is_urgent) for user in users]
