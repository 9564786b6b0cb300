"""What commands do to users."""

from typing import Any

import orjson

from actors import commands, rules
from actors.commands import Done, Gone
from actors.errors import Conflict, Forbidden, NotFound
from actors.events import Event, MemberGone
from actors.identifiers import new_id
from actors.records import User
from storage import models, rows
from storage.compiled import ManyRows
from storage.writing.transaction import Transaction, changed, given, must_match


def ensure_user(tx: Transaction, command: commands.EnsureUser) -> Done:
    """On first sight make the user; later write only what the claims say anew.

    Compared with the claims seen last, not with the user: what an admin has changed since stays changed. A deactivated
    user stays as they are; a deleted one must not come back by a token.
    """
    claims = _claims(command)
    text = orjson.dumps(claims).decode()
    known = SEEN.run(tx.database, [(command.subject,)])
    if known and known[0][1] == text:
        return Done(rows.user_of(known[0][3:]))
    row = known[0] if known else _adopt(tx, command)
    if row is None:
        return Done(_insert(tx, command, claims, text))
    key, seen, status = row[:3]
    if seen != text and status == "ACTIVE":
        before = orjson.loads(seen) if seen else _NOTHING_SEEN
        news = {name: value for name, value in claims.items() if value and value != before.get(name)}
        _write(tx, key, news | {"claims": text})
    return Done(_by_key(tx, key))


_SEEN = models.User.select(models.User.id, models.User.claims, models.User.status, *rows.USER_COLUMNS)
SEEN = ManyRows(lambda count: _SEEN.where(models.User.subject.in_([""] * count)))
"""Compiled: every new token of a known user asks this, and thousands come at once after a restart."""
_NOTHING_SEEN: dict[str, Any] = {"kind": "HUMAN"}
"""Of a user whom an admin has made. A token that says nothing of a kind says HUMAN; that is no news."""


def _adopt(tx: Transaction, command: commands.EnsureUser) -> tuple[Any, ...] | None:
    """A user whom an admin made by this address, and for whom no token has spoken yet: this one does from now on."""
    User = models.User
    waiting = (User.email == command.email) & (User.subject == User.uid) & (User.claims == "")
    row = rows.first(tx.database, _SEEN.where(waiting)) if command.email else None
    if row is not None:
        tx.execute(User.update(subject=command.subject).where(User.id == row[0]))
    return row


def _claims(command: commands.EnsureUser) -> dict[str, Any]:
    return {
        "email": command.email,
        "name": command.name,
        "domain": command.domain,
        "role": command.role,
        "kind": command.kind,
    }


def _insert(tx: Transaction, command: commands.EnsureUser, claims: dict[str, Any], text: str) -> User:
    fields = claims | {"role": command.role or "USER"}
    fields["name"] = command.name or command.email.partition("@")[0] or command.subject
    insert = models.User.insert(
        uid=new_id(), subject=command.subject, claims=text, created_at=tx.now, updated_at=tx.now, **fields
    )
    return _by_key(tx, tx.execute(insert))


def create_user(tx: Transaction, command: commands.CreateUser) -> Done:
    rules.must_administer(command.identity)
    uid = new_id()
    subject = command.subject or uid
    _must_be_free(tx, command.email, subject)
    insert = models.User.insert(
        uid=uid, subject=subject, email=command.email, name=command.name, avatar_url=command.avatar_url,
        role=command.role, kind=command.kind, domain=command.domain or command.email.rpartition("@")[2],
        metadata=command.metadata, created_at=tx.now, updated_at=tx.now,
    )  # fmt: skip
    return Done(_by_key(tx, tx.execute(insert)))


def _must_be_free(tx: Transaction, email: str | None, subject: str | None = None) -> None:
    if email and _find(tx, models.User.email == email):
        raise Conflict(f"There is a user with the e-mail address {email!r} already.", code="email_taken")
    if subject and _find(tx, models.User.subject == subject):
        raise Conflict(f"There is a user with the subject {subject!r} already.", code="id_taken")


def update_user(tx: Transaction, command: commands.UpdateUser) -> Done:
    user = _must_find(tx, command.user_id)
    fields = given(
        email=command.email, name=command.name, avatar_url=command.avatar_url, role=command.role, kind=command.kind,
        status=command.status, metadata=command.metadata,
    )  # fmt: skip
    _must_be_allowed(command, user, fields)
    must_match(command.if_version, user.version)
    difference = changed(((name, getattr(user, name)) for name in fields), fields)
    _must_be_free(tx, difference.get("email"))
    return Done(_write(tx, user.key, difference) if difference else user)


_ONES_OWN = frozenset({"name", "avatar_url", "metadata"})


def _must_be_allowed(command: commands.UpdateUser, user: User, fields: dict[str, Any]) -> None:
    if command.identity.is_admin:
        return
    if command.identity.user.key != user.key:
        raise Forbidden("Changing another user is for users with the role ADMIN.")
    beyond = sorted(fields.keys() - _ONES_OWN)
    if beyond:
        raise Forbidden(f"Only users with the role ADMIN change {', '.join(beyond)}.")


def delete_user(tx: Transaction, command: commands.DeleteUser) -> Done:
    """Deactivate for good and take the person out of it; what they wrote stays, by a nameless author."""
    rules.must_administer(command.identity)
    user = _must_find(tx, command.user_id)
    must_match(command.if_version, user.version)
    if user.key == command.identity.user.key:
        raise Conflict("You cannot delete yourself; ask another admin.")
    blank = {"email": "", "name": "Deleted user", "avatar_url": None, "metadata": "{}", "claims": ""}
    gone = _write(tx, user.key, {**blank, "role": "USER", "status": "DEACTIVATED"})
    events = tuple(_leave(tx, thread, command, gone) for thread in _threads_of(tx, user.key))
    return Done(Gone(user.id), events)


def _threads_of(tx: Transaction, user_key: int) -> list[tuple[int, str]]:
    Member, Thread = models.Member, models.Thread
    query = Thread.select(Thread.id, Thread.uid).join(Member, on=(Member.thread == Thread.id))
    rows_found = rows.fetch(tx.database, query.where((Member.user == user_key) & Thread.deleted_at.is_null()))
    return [(key, uid) for key, uid in rows_found]


def _leave(tx: Transaction, thread: tuple[int, str], command: commands.DeleteUser, user: User) -> Event:
    Member = models.Member
    tx.execute(Member.delete().where((Member.thread == thread[0]) & (Member.user == user.key)))
    return tx.log(thread, "member.removed", command.identity.author, MemberGone(user.author), ref=user.key)


def _write(tx: Transaction, key: int, fields: dict[str, Any]) -> User:
    update = models.User.update(**fields, version=models.User.version + 1, updated_at=tx.now)
    tx.execute(update.where(models.User.id == key))
    return _by_key(tx, key)


def _find(tx: Transaction, condition: Any) -> User | None:
    row = rows.first(tx.database, rows.users_query().where(condition))
    return rows.user_of(row) if row else None


def _by_key(tx: Transaction, key: int) -> User:
    user = _find(tx, models.User.id == key)
    assert user is not None
    return user


def _must_find(tx: Transaction, user_id: str) -> User:
    user = _find(tx, models.User.uid == user_id)
    if user is None:
        raise NotFound("user", user_id)
    return user


def user_key(tx: Transaction, user_id: str) -> int:
    """Key of a user who may become a member."""
    user = _must_find(tx, user_id)
    if user.status != "ACTIVE":
        raise Conflict(f"User {user_id!r} is deactivated.")
    return user.key
