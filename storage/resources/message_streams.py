"""What commands do to messages that are being written: save them, complete them, end them."""

from dataclasses import replace
from typing import Any

import orjson
from peewee import fn

from actors import limits, permissions
from actors.errors import Conflict, Forbidden
from actors.events import Event
from actors.outcomes import Done
from actors.resources.message_streams import FinishMessage, InterruptAbandoned, SaveProgress
from actors.resources.messages import MESSAGE_COMPLETED, InterruptMessage, Message
from actors.resources.user_events import UserEvent
from actors.text.mentions import may_mention
from storage.compiled import Prepared
from storage.journal.transaction import Transaction, given
from storage.journal.writers import writes
from storage.readers import rows
from storage.resources.messages import writing as messages
from storage.resources.notifications import writing as notifications
from storage.resources.notifications.writing import Written
from storage.schema import models

_M = models.Message


@writes(FinishMessage)
def finish_message(tx: Transaction, command: FinishMessage) -> Done[Message]:
    place = messages.find(tx, command.thread_id, command.message_id, command.identity)
    message, is_mine = place.message, place.message.author.key == command.identity.user.key
    permissions.must_be_writer(place.role, place.status)
    if command.status != "INTERRUPTED" and not is_mine:
        raise Forbidden("Only its author can complete a message; others can stop it.")
    if message.status != "STREAMING" or message.deleted_at is not None:
        raise Conflict(f"The message is no longer being streamed: it is {message.status}.", code="not_streaming")
    fields = given(content=command.content, blocks=command.blocks, metadata=command.metadata)
    messages.must_say_something({"content": message.content, "blocks": message.blocks, **fields}, command.status)
    messages.write(tx, message.key, **fields, status=command.status)
    made = messages.done(tx, place, MESSAGE_COMPLETED, command.identity)
    return replace(made, user_events=_notify(tx, place, made.result)) if command.status == "COMPLETE" else made


def _notify(tx: Transaction, place: messages.Place, message: Any) -> tuple[UserEvent, ...]:
    """Notify once the text is complete; a partial answer notifies no one."""
    if not (message.parent_id or may_mention(message.content, message.blocks)):
        return ()
    answers = messages.answered(tx, message.parent_id)
    return notifications.of_messages(tx, [Written(message, place.thread[0], answers)])


@writes(SaveProgress)
def save_progress(tx: Transaction, command: SaveProgress) -> Done[None]:
    _SAVE.execute(tx.database, uid=command.message_id, content=command.content, now=tx.now)
    return Done(None)


@writes(InterruptMessage)
def interrupt_message(tx: Transaction, command: InterruptMessage) -> Done[None]:
    row = _WRITTEN.first(tx.database, uid=command.message_id)
    return Done(None, (_interrupt(tx, row[0], row[1], command),) if row else ())


@writes(InterruptAbandoned)
def interrupt_abandoned(tx: Transaction, command: InterruptAbandoned) -> Done[int]:
    """Those whose process is gone: a live one saves, or ends them itself."""
    last = fn.COALESCE(_M.streamed_at, _M.created_at)
    query = _being_written().where(last < command.before).limit(command.rows)
    found = rows.fetch(tx.database, query)
    return Done(len(found), tuple(_interrupt(tx, key, metadata, _ABANDONED) for key, metadata in found))


_T = models.Thread
_ABANDONED = InterruptMessage("", "", None, reason="server_restarted")


def _being_written() -> Any:
    query = _M.select(_M.id, _M.metadata).join(_T, on=(_M.thread == _T.id))
    return query.where(_writing() & _T.deleted_at.is_null())


def _writing() -> Any:
    return (_M.status == "STREAMING") & _M.deleted_at.is_null()


_WRITTEN = Prepared(lambda given: _being_written().where(_M.uid == given.uid))
_SAVE = Prepared(
    lambda given: _M.update(content=given.content, streamed_at=given.now).where((_M.uid == given.uid) & _writing())
)


def _interrupt(tx: Transaction, key: int, metadata: str, command: InterruptMessage) -> Event:
    fields: dict[str, Any] = {} if command.content is None else {"content": command.content}
    fields |= _with_reason(metadata, command.reason)
    messages.write(tx, key, **fields, status=command.status)
    return messages.logged(tx, key, MESSAGE_COMPLETED, command.actor)


def _with_reason(metadata: str, reason: str) -> dict[str, Any]:
    """Beside what its author keeps there, where there is room."""
    if not reason:
        return {}
    metadata_json = orjson.dumps({**orjson.loads(metadata), "end_reason": reason})
    return {"metadata": metadata_json.decode()} if len(metadata_json) <= limits.METADATA_BYTES else {}
