"""Idempotency: what a request came to, kept by reference for 24 hours in the transaction of the request itself."""

from typing import Any, cast

import orjson

from actors.accounts import ApiKey, Session
from actors.commands import Done, Gone, Once, Reacted
from actors.errors import KeyReused, NotFound
from actors.notifications import Preferences, ThreadPreferences
from actors.records import Identity, Member, Memory, Message, Thread, User
from storage import models, rows
from storage.compiled import Prepared
from storage.identity_models import ApiKey as ApiKeyModel
from storage.identity_models import Session as SessionModel
from storage.reading import accounts, markers, preferences
from storage.writing.transaction import Transaction

_I = models.Idempotency


def find(tx: Transaction, identity: Identity, once: Once) -> Done | None:
    """The first one's result, read again; None where the key is new. Raises `KeyReused`."""
    row = _FIND.first(tx.database, user=identity.user.key, key=once.key)
    if row is None:
        return None
    if row[0] != once.fingerprint:
        raise KeyReused(once.key)
    return Done(_read(tx, identity, orjson.loads(row[1])), replayed=True)


def keep(tx: Transaction, identity: Identity, once: Once, done: Done) -> None:
    outcome = orjson.dumps(_reference(done.result)).decode()
    _KEEP.execute(
        tx.database, user=identity.user.key, key=once.key, fingerprint=once.fingerprint, outcome=outcome, now=tx.now
    )


_FIND = Prepared(lambda given: _I.select(_I.fingerprint, _I.outcome).where(_I.user == given.user, _I.key == given.key))
_KEEP = Prepared(
    lambda given: _I.insert(
        user=given.user, key=given.key, fingerprint=given.fingerprint, outcome=given.outcome, created_at=given.now
    )
)


def _reference(result: object) -> dict[str, Any]:
    match result:
        case Message(key=key) | Thread(key=key) | User(key=key):
            return {"kind": type(result).__name__, "key": key}
        case Member(thread_id=thread_id, user=user):
            return {"kind": "Member", "thread": thread_id, "user": user.key}
        case Memory(thread_id=thread_id) | ThreadPreferences(thread_id=thread_id):
            return {"kind": type(result).__name__, "thread": thread_id}
        case Reacted(added, changed, message):
            return {"kind": "Reacted", "added": added, "changed": changed, "key": message.key}
        case Session(id=public_id) | ApiKey(id=public_id):
            return {"kind": type(result).__name__, "id": public_id}
        case None | int():
            return {"kind": "plain", "value": result}
        case Gone(gone_id):
            return {"kind": "Gone", "id": gone_id}
        case Preferences():
            return {"kind": "Preferences"}
    raise TypeError(f"no reference is defined for {type(result).__name__}")


def _read(tx: Transaction, identity: Identity, reference: dict[str, Any]) -> object:
    if reference["kind"] == "plain":
        return cast(object, reference["value"])
    found = _READERS[reference["kind"]](tx, identity, reference)
    if found is None:
        raise NotFound(cast(str, reference["kind"]).lower())
    return found


def _message(tx: Transaction, identity: Identity, reference: dict[str, Any]) -> Message | None:
    return rows.message_by_key(tx.database, reference["key"], identity.user.key)


def _thread(tx: Transaction, identity: Identity, reference: dict[str, Any]) -> Thread | None:
    thread = rows.thread_by_key(tx.database, reference["key"], identity.author)
    if thread is None or thread.deleted_at is not None:
        return None
    return thread if thread.membership or identity.is_admin else None  # they may have left since


def _user(tx: Transaction, identity: Identity, reference: dict[str, Any]) -> User | None:
    row = rows.first(tx.database, rows.users_query().where(models.User.id == reference["key"]))
    return rows.user_of(row) if row else None


def _member(tx: Transaction, identity: Identity, reference: dict[str, Any]) -> Member | None:
    same = (models.Thread.uid == reference["thread"]) & (models.Member.user == reference["user"])
    row = rows.first(tx.database, rows.members_query().where(same))
    return markers.shown(tx.database, [rows.member_of(row)], identity.user.key)[0] if row else None


def _reacted(tx: Transaction, identity: Identity, reference: dict[str, Any]) -> Reacted | None:
    message = _message(tx, identity, reference)
    return Reacted(reference["added"], reference["changed"], message) if message else None


def _memory(tx: Transaction, identity: Identity, reference: dict[str, Any]) -> Memory | None:
    row = rows.first(
        tx.database, models.Thread.select(models.Thread.id).where(models.Thread.uid == reference["thread"])
    )
    thread = _thread(tx, identity, {"key": row[0]}) if row else None
    return Memory(thread.id, thread.memory, thread.memory_version) if thread else None


def _gone(tx: Transaction, identity: Identity, reference: dict[str, Any]) -> Gone:
    return Gone(reference["id"])


def _api_key(tx: Transaction, identity: Identity, reference: dict[str, Any]) -> ApiKey | None:
    row = rows.first(tx.database, accounts.api_keys_query().where(ApiKeyModel.uid == reference["id"]))
    return accounts.api_key_of(row) if row else None


def _session(tx: Transaction, identity: Identity, reference: dict[str, Any]) -> Session | None:
    row = rows.first(tx.database, accounts.sessions_query().where(SessionModel.uid == reference["id"]))
    return accounts.session_of(row) if row else None


def _preferences(tx: Transaction, identity: Identity, reference: dict[str, Any]) -> Preferences:
    return preferences.of_user(tx.database, identity.user.key)


def _thread_preferences(tx: Transaction, identity: Identity, reference: dict[str, Any]) -> ThreadPreferences:
    return preferences.of_thread(tx.database, identity, reference["thread"])


_READERS = {
    "Preferences": _preferences,
    "ThreadPreferences": _thread_preferences,
    "ApiKey": _api_key,
    "Session": _session,
    "Message": _message,
    "Thread": _thread,
    "User": _user,
    "Member": _member,
    "Memory": _memory,
    "Reacted": _reacted,
    "Gone": _gone,
}
