"""What commands do to users."""

from typing import Any

import orjson

from actors import commands, rules
from actors.account_commands import SignInByProvider
from actors.commands import Done, Unset
from actors.errors import Conflict, Forbidden, NotFound
from actors.identifiers import new_id
from actors.records import User
from actors.text import line
from actors.user_events import USER_UPDATED, UserEvent
from storage import models, rows
from storage.compiled import ManyRows
from storage.reading import credentials
from storage.writing import access, audit, naming, user_log
from storage.writing.transaction import Transaction, changed, given, must_match
from storage.writing.user_log import Entry


def ensure_user(tx: Transaction, command: commands.EnsureUser) -> Done:
    """On first sight make the user; later write only what the claims say anew.

    Compared with the claims seen last, not with the user: what an admin has changed since stays changed. A deactivated
    user stays as they are; a deleted one must not come back by a token.
    """
    claims, text = credentials.claims_of(command), credentials.claims_text(command)
    known = SEEN.run(tx.database, [(command.subject,)])
    if known and known[0][1] == text:
        return Done(rows.user_of(known[0][3:]))
    row = known[0] if known else _deleted(tx, command) or _adopt(tx, command)
    if row is None:
        return Done(_insert(tx, command, claims, text))
    key, seen, status = row[:3]
    if seen != text and status == "ACTIVE":
        before = orjson.loads(seen) if seen else _NOTHING_SEEN
        news = {name: value for name, value in claims.items() if value and value != before.get(name)}
        write(tx, key, news | {"claims": text})
        if news.keys() & LINKED:
            access.end_links(tx, key)
        if news:
            access.changed(tx, "user", row[4])
            user = _by_key(tx, key)
            return Done(user, told=_told(tx, user))
    return Done(_by_key(tx, key))


LINKED = frozenset({"email", "role"})
"""What a sign-in link was made for: another address may be another person's, another role takes another link."""
_SEEN = models.User.select(models.User.id, models.User.claims, models.User.status, *rows.USER_COLUMNS)
SEEN = ManyRows(lambda count: _SEEN.where(models.User.subject.in_([""] * count)))
"""Compiled: every new token of a known user asks this, and thousands come at once after a restart."""
_NOTHING_SEEN: dict[str, Any] = {"kind": "HUMAN"}
"""Of a user whom an admin has made. A token that says nothing of a kind says HUMAN; that is no news."""


def _deleted(tx: Transaction, command: commands.EnsureUser) -> tuple[Any, ...] | None:
    """Of a user who was deleted only a hash of the subject is left."""
    found = SEEN.run(tx.database, [(models.forgotten(command.subject),)])
    return found[0] if found else None


def _adopt(tx: Transaction, command: commands.EnsureUser) -> tuple[Any, ...] | None:
    """A user whom an admin made by this address, and for whom no token has spoken yet: this one does from now on."""
    User = models.User
    waiting = (User.email == command.email.lower()) & (User.subject == User.uid) & (User.claims == "")
    row = rows.first(tx.database, _SEEN.where(waiting)) if command.email else None
    if row is not None:
        tx.execute(User.update(subject=command.subject).where(User.id == row[0]))
    return row


def _insert(tx: Transaction, command: commands.EnsureUser, claims: dict[str, Any], text: str) -> User:
    fields = claims | {"role": command.role or "USER"}
    fields["name"] = claims["name"] or command.email.partition("@")[0] or command.subject
    insert = models.User.insert(
        uid=new_id(), subject=command.subject, claims=text, created_at=tx.now, updated_at=tx.now, **fields
    )
    return _made(tx, tx.execute(insert))


def _made(tx: Transaction, key: int) -> User:
    user = _by_key(tx, key)
    naming.call(tx, key, user.name, user.email)
    return user


def create_user(tx: Transaction, command: commands.CreateUser) -> Done:
    rules.must_administer(command.identity)
    uid = new_id()
    subject = command.subject or uid
    _must_be_free(tx, command.email, subject)
    email = command.email.lower()
    insert = models.User.insert(
        uid=uid, subject=subject, email=email, name=command.name, avatar_url=command.avatar_url,
        role=command.role, kind=command.kind, domain=command.domain or email.rpartition("@")[2],
        metadata=command.metadata, created_at=tx.now, updated_at=tx.now,
    )  # fmt: skip
    user = _made(tx, tx.execute(insert))
    audit.act(tx, command, "create_user", ("user", uid), after={name: getattr(user, name) for name in AUDITED})
    return Done(user)


AUDITED = ("email", "name", "role", "kind", "domain", "status")
"""Of a user's fields: those an administrator is asked about afterwards."""


def insert_from_provider(tx: Transaction, command: SignInByProvider) -> User:
    """Somebody whom only an identity provider knows so far."""
    email = command.email.lower()
    insert = models.User.insert(
        uid=new_id(), subject=f"{command.issuer}#{command.subject}", email=email,
        name=line(command.name) or email.partition("@")[0] or command.subject, avatar_url=command.avatar_url,
        domain=command.domain, created_at=tx.now, updated_at=tx.now,
    )  # fmt: skip
    return _made(tx, tx.execute(insert))


def _must_be_free(tx: Transaction, email: str | None, subject: str | None = None) -> None:
    if email and _find(tx, models.User.email == email.lower()):
        raise Conflict(f"There is a user with the e-mail address {email!r} already.", code="email_taken")
    if subject and _find(tx, models.User.subject.in_([subject, models.forgotten(subject)])):
        raise Conflict(f"There is a user with the subject {subject!r} already.", code="id_taken")


def update_user(tx: Transaction, command: commands.UpdateUser) -> Done:
    user = find(tx, command.user_id)
    email = command.email if isinstance(command.email, Unset) else command.email.lower()
    fields = given(
        email=email, name=command.name, avatar_url=command.avatar_url, role=command.role, kind=command.kind,
        status=command.status, metadata=command.metadata,
    )  # fmt: skip
    _must_be_allowed(command, user, fields)
    must_match(command.if_version, user.version)
    _must_not_be_deleted(tx, user)
    difference = changed(((name, getattr(user, name)) for name in fields), fields)
    _must_be_free(tx, difference.get("email"))
    if not difference:
        return Done(user)
    updated = write(tx, user.key, difference)
    access.changed(tx, "user", user.id)
    if updated.status != "ACTIVE":
        access.end_sessions(tx, user.key, "user deactivated")
    elif difference.keys() & LINKED:
        access.end_links(tx, user.key)
    _audit_update(tx, command, user, updated)
    return Done(updated, told=_told(tx, updated))


def _told(tx: Transaction, user: User) -> tuple[UserEvent, ...]:
    """Their devices learn who they are now."""
    return user_log.tell(tx, [Entry(user.key, USER_UPDATED, user, {})])


def _must_not_be_deleted(tx: Transaction, user: User) -> None:
    """Nobody brings back whom somebody wanted to be forgotten."""
    row = rows.first(tx.database, models.User.select(models.User.deleted_at).where(models.User.id == user.key))
    if row is not None and row[0] is not None:
        raise Conflict("The user was deleted; make a new one.", code="user_deleted")


def _audit_update(tx: Transaction, command: commands.UpdateUser, before: User, after: User) -> None:
    """What an administrator did, and what changes rights; not that somebody has another name for themselves."""
    was, is_now = audit.difference(before, after, AUDITED)
    if was and (command.identity.user.key != before.key or was.keys() - {"name"}):
        audit.act(tx, command, "update_user", ("user", before.id), was, is_now)


_ONES_OWN = frozenset({"name", "avatar_url", "metadata"})


def _must_be_allowed(command: commands.UpdateUser, user: User, fields: dict[str, Any]) -> None:
    if command.identity.is_admin:
        return
    if command.identity.user.key != user.key:
        raise Forbidden("Changing another user is for users with the role ADMIN.")
    beyond = sorted(fields.keys() - _ONES_OWN)
    if beyond:
        raise Forbidden(f"Only users with the role ADMIN change {', '.join(beyond)}.")


def write(tx: Transaction, key: int, fields: dict[str, Any]) -> User:
    update = models.User.update(**fields, version=models.User.version + 1, updated_at=tx.now)
    tx.execute(update.where(models.User.id == key))
    user = _by_key(tx, key)
    if fields.get("deleted_at") is not None:
        naming.call(tx, key, "", "")
    elif fields.keys() & {"name", "email"}:
        naming.call(tx, key, user.name, user.email)
    return user


def _find(tx: Transaction, condition: Any) -> User | None:
    row = rows.first(tx.database, rows.users_query().where(condition))
    return rows.user_of(row) if row else None


def _by_key(tx: Transaction, key: int) -> User:
    user = _find(tx, models.User.id == key)
    assert user is not None
    return user


def find(tx: Transaction, user_id: str) -> User:
    """Raises `NotFound`."""
    user = _find(tx, models.User.uid == user_id)
    if user is None:
        raise NotFound("user", user_id)
    return user


def user_key(tx: Transaction, user_id: str) -> int:
    """Key of a user who may become a member."""
    user = find(tx, user_id)
    if user.status != "ACTIVE":
        raise Conflict(f"User {user_id!r} is deactivated.")
    return user.key
