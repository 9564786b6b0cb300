"""Idempotency: what a request came to, kept by reference for 24 hours in the transaction of the request itself."""

from collections.abc import Sequence
from typing import Any, cast

import orjson

from actors.auth.identity import Identity
from actors.commands import Once
from actors.errors import KeyReused, NotFound, XpError
from actors.outcomes import Done, Gone
from actors.resources.api_keys import ApiKey
from actors.resources.members import Member
from actors.resources.memory import Memory
from actors.resources.messages import Message
from actors.resources.notifications import Preferences, ThreadPreferences
from actors.resources.reactions import Reacted
from actors.resources.sessions import Session
from actors.resources.threads import Thread
from actors.resources.users import User
from storage.compiled import ManyRows, insert_rows, values
from storage.journal.transaction import Transaction
from storage.readers import rows
from storage.resources.members import markers
from storage.resources.preferences import reading as preferences
from storage.resources.sessions import reading as accounts
from storage.schema import models
from storage.schema.identity_models import ApiKey as ApiKeyModel
from storage.schema.identity_models import Session as SessionModel

_I = models.Idempotency


def find(tx: Transaction, identity: Identity, once: Once) -> Done | None:
    """The first one's result, read again; None where the key is new. Raises `KeyReused`, or `NotFound`."""
    found = find_all(tx, [(identity, once)])[0]
    if isinstance(found, XpError):
        raise found
    return found


def find_all(tx: Transaction, asked: Sequence[tuple[Identity, Once]]) -> list[Done | XpError | None]:
    """The same for many; what would be raised is answered."""
    pairs = [(identity.user.key, once.key) for identity, once in asked]
    kept = {(user, key): (mark, outcome) for user, key, mark, outcome in _FIND.run(tx.database, pairs)}
    return [
        _replay(tx, identity, once, *kept[pair]) if pair in kept else None
        for pair, (identity, once) in zip(pairs, asked, strict=True)
    ]


def _replay(tx: Transaction, identity: Identity, once: Once, fingerprint: str, outcome: str) -> Done | XpError:
    if fingerprint != once.fingerprint:
        return KeyReused(once.key)
    try:
        return Done(_read(tx, identity, orjson.loads(outcome)), replayed=True)
    except XpError as gone:
        return gone


def keep(tx: Transaction, identity: Identity, once: Once, done: Done) -> None:
    keep_all(tx, [(identity, once, done)])


def keep_all(tx: Transaction, made: Sequence[tuple[Identity, Once, Done]]) -> None:
    _KEEP.run(
        tx.database,
        [
            (identity.user.key, once.key, once.fingerprint, orjson.dumps(_reference(done.result)).decode(), tx.now)
            for identity, once, done in made
        ],
    )


def _find(count: int) -> Any:
    table = values(count, 2)
    same = (_I.user == table.c.column1) & (_I.key == table.c.column2)
    return _I.select(_I.user, _I.key, _I.fingerprint, _I.outcome).join(table, on=same)


_FIND = ManyRows(_find)
_KEEP = insert_rows(_I, (_I.user, _I.key, _I.fingerprint, _I.outcome, _I.created_at))


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
