"""What commands do to API keys, passwords, sign-in links and other issuers' tokens."""

from dataclasses import replace
from typing import Any

import orjson

from actors import limits
from actors.auth.identity import Identity
from actors.commands import Command
from actors.errors import Conflict, Forbidden, NotFound
from actors.identifiers import new_id
from actors.outcomes import Done
from actors.resources.api_keys import ApiKey, CreateApiKey, RevokeApiKey
from actors.resources.sessions import CreateLink, NoteUse, RevokeToken, SetPassword
from actors.resources.users import User
from storage.journal import results
from storage.journal.transaction import Transaction
from storage.journal.writers import writes
from storage.readers import rows
from storage.resources.audit import writing as audit
from storage.resources.credentials import revocation as access
from storage.resources.notices import telling as notices
from storage.resources.sessions import reading as accounts
from storage.resources.sessions import writing as sessions
from storage.resources.users import administrators
from storage.resources.users import writing as users
from storage.schema import identity_models as models

_K, _S, _T = models.ApiKey, models.Session, models.RevokedToken


@writes(NoteUse)
def note_use(tx: Transaction, command: NoteUse) -> Done[None]:
    """Not each time: a batch that writes nothing is free."""
    before = tx.now - limits.SEEN_SECONDS * 1000
    if command.session_id is not None:
        is_old = (_S.uid == command.session_id) & (_S.last_seen_at < before)
        tx.execute(_S.update(last_seen_at=tx.now).where(is_old))
    if command.api_key_id is not None:
        is_old = (_K.uid == command.api_key_id) & (_K.last_used_at.is_null() | (_K.last_used_at < before))
        tx.execute(_K.update(last_used_at=tx.now).where(is_old))
    return Done(None)


@writes(CreateApiKey)
def create_api_key(tx: Transaction, command: CreateApiKey) -> Done[ApiKey]:
    user = _owner(tx, command, command.user_id)
    if "admin" in command.scopes and user.role != "ADMIN":
        raise Forbidden(f"The scope `admin` requires the role ADMIN; this user is {user.role}.")
    held = _K.select().where((_K.user == user.key) & _K.revoked_at.is_null()).bind(tx.database).count()
    if held >= limits.API_KEYS_PER_USER:
        raise Conflict(f"A user may have at most {limits.API_KEYS_PER_USER} API keys; revoke one first.")
    uid = new_id()
    insert = _K.insert(
        uid=uid, user=user.key, name=command.name, prefix=command.prefix, hash=command.key_hash,
        scopes=orjson.dumps(command.scopes).decode(), created_at=tx.now, expires_at=command.expires_at,
    )  # fmt: skip
    tx.execute(insert)
    facts = {"name": command.name, "scopes": command.scopes, "user_id": user.id, "expires_at": command.expires_at}
    audit.act(tx, command, "create_api_key", ("api_key", uid), after=facts, about=user.id)
    notices.tell(tx, "api_key_created", user, notices.doer(command.identity, user), command.origin, command.name)
    return Done(_must_find(tx, uid))


def _owner(tx: Transaction, command: Command[Any], user_id: str) -> User:
    user = users.find(tx, user_id)
    if user.key != command.identity.user.key:
        administrators.must_administer(tx, command.identity)
    administrators.must_not_be_system(user)
    if user.status != "ACTIVE":
        raise Conflict("This account is deactivated.")
    return user


@writes(RevokeApiKey)
def revoke_api_key(tx: Transaction, command: RevokeApiKey) -> Done[ApiKey]:
    key = _must_find(tx, command.key_id)
    if key.user_id != command.identity.user.id and not command.identity.is_admin:
        raise NotFound("API key", command.key_id)
    if key.revoked_at is not None:
        return Done(key)
    tx.execute(_K.update(revoked_at=tx.now).where(_K.uid == key.id))
    access.changed(tx, "api_key", key.id)
    facts = {"name": key.name, "user_id": key.user_id}
    audit.act(tx, command, "revoke_api_key", ("api_key", key.id), before=facts, about=key.user_id)
    return Done(replace(key, revoked_at=tx.now))


@writes(RevokeToken)
def revoke_token(tx: Transaction, command: RevokeToken) -> Done[None]:
    """One's own, or as an admin any."""
    if command.token_id != command.identity.token_id and command.user_id != command.identity.user.id:
        administrators.must_administer(tx, command.identity)
    known = rows.first(tx.database, _T.select(_T.expires_at).where(_T.token_id == command.token_id))
    if known is None or known[0] < command.expires_at:
        insert = _T.insert(token_id=command.token_id, expires_at=command.expires_at, revoked_at=tx.now)
        tx.execute(insert.on_conflict_replace())
        access.changed(tx, "token", command.token_id)
        audit.act(tx, command, "revoke_token", ("token", command.token_id))
    return Done(None)


@writes(SetPassword)
def set_password(tx: Transaction, command: SetPassword) -> Done[int]:
    user = command.identity.user
    administrators.must_not_be_system(user)
    if accounts.password_hash(tx.database, user.key) != command.expected:
        raise Conflict("The password was changed in the meantime; try again.")
    sessions.keep_password(tx, user.key, command.password)
    ended = access.end_sessions(tx, user.key, "password changed", but=command.identity.session_id)
    audit.act(tx, command, "set_password", ("user", user.id), after={"sessions_ended": ended})
    notices.tell(tx, "password_changed", user, "user", command.origin)
    return Done(ended)


@writes(CreateLink)
def create_link(tx: Transaction, command: CreateLink) -> Done[User]:
    administrators.must_administer(tx, command.identity)
    user = _owner(tx, command, command.user_id)
    insert = models.SignInLink.insert(
        user=user.key, hash=command.link_hash, created_at=tx.now, expires_at=command.expires_at
    )
    tx.execute(insert)
    audit.act(tx, command, "create_sign_in_link", ("user", user.id))
    return Done(user)


def _must_find(tx: Transaction, key_id: str) -> ApiKey:
    row = rows.first(tx.database, accounts.api_keys_query().where(_K.uid == key_id))
    if row is None:
        raise NotFound("API key", key_id)
    return accounts.api_key_of(row)


# Results, read again for an idempotency key


def _again(tx: Transaction, identity: Identity, reference: results.Reference) -> ApiKey | None:
    row = rows.first(tx.database, accounts.api_keys_query().where(_K.uid == reference["id"]))
    return accounts.api_key_of(row) if row else None


results.keep(ApiKey, refer=lambda key: {"id": key.id}, load=_again)
