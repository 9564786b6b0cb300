"""What commands do to users."""

from typing import Any

from actors.auth.identity import Identity
from actors.commands import Unset
from actors.errors import Conflict, Forbidden, NotFound
from actors.identifiers import new_id
from actors.outcomes import Done
from actors.permissions import must_match
from actors.resources.sessions import SignInByProvider
from actors.resources.user_events import USER_UPDATED, UserEvent
from actors.resources.users import SYSTEM_SUBJECT, CreateUser, UpdateUser, User
from actors.text.email_address import domain_of, folded
from actors.text.normal import line
from storage.compiled import Prepared
from storage.journal import results, user_log
from storage.journal.transaction import Transaction, changed, given
from storage.journal.user_log import Entry
from storage.journal.writers import writes
from storage.readers import rows
from storage.resources.audit import writing as audit
from storage.resources.credentials import revocation as access
from storage.resources.letters.inviting import invite
from storage.resources.members import ownership
from storage.resources.notices import telling as notices
from storage.resources.notifications import mention_lookup as naming
from storage.resources.users import administrators
from storage.schema import identity_models, models

LINKED = frozenset({"email", "role"})
"""What a sign-in link was made for: another address may be another person's, another role takes another link."""


def made(tx: Transaction, key: int) -> User:
    """A user who was just inserted; from now on an `@name` finds them."""
    user = by_key(tx, key)
    naming.call(tx, key, user.name, user.email)
    return user


@writes(CreateUser)
def create_user(tx: Transaction, command: CreateUser) -> Done[User]:
    administrators.must_administer(tx, command.identity)
    uid = new_id()
    subject = command.subject or uid
    _must_be_free(tx, command.email, subject)
    email = folded(command.email)
    insert = models.User.insert(
        uid=uid, subject=subject, email=email, name=command.name, avatar_url=command.avatar_url,
        role=command.role, kind=command.kind, domain=command.domain or domain_of(email),
        metadata=command.metadata, created_at=tx.now, updated_at=tx.now,
    )  # fmt: skip
    user = made(tx, tx.execute(insert))
    audit.act(tx, command, "create_user", ("user", uid), after={name: getattr(user, name) for name in AUDITED})
    if command.invite:
        invite(tx, user, command.identity.user.key)
    return Done(user)


AUDITED = ("email", "name", "role", "kind", "domain", "status")
"""Of a user's fields: those an administrator is asked about afterwards."""


def insert_from_provider(tx: Transaction, command: SignInByProvider) -> User:
    """A new user, known only to an identity provider."""
    email = folded(command.email)
    insert = models.User.insert(
        uid=new_id(), subject=f"{command.issuer}#{command.subject}", email=email,
        name=line(command.name) or email.partition("@")[0] or command.subject, avatar_url=command.avatar_url,
        domain=command.domain, created_at=tx.now, updated_at=tx.now,
    )  # fmt: skip
    return made(tx, tx.execute(insert))


def _must_be_free(tx: Transaction, email: str | None, subject: str | None = None) -> None:
    if subject == SYSTEM_SUBJECT:
        raise Conflict("The subject belongs to the built-in user.", code="built_in_user")
    if email and _exists(tx, models.User.email == folded(email)):
        raise Conflict(f"A user with the e-mail address {email!r} already exists.", code="email_taken")
    if subject and _is_known(tx, [subject, models.forgotten(subject)]):
        raise Conflict(f"A user with the subject {subject!r} already exists.", code="id_taken")


def _is_known(tx: Transaction, subjects: list[str]) -> bool:
    """Whether tokens with this `sub`, of any issuer, already belong to a user."""
    External = identity_models.ExternalAccount
    linked = External.select(External.user).where(External.subject.in_(subjects))
    return _exists(tx, models.User.subject.in_(subjects)) or rows.first(tx.database, linked) is not None


def _exists(tx: Transaction, condition: Any) -> bool:
    return rows.first(tx.database, models.User.select(models.User.id).where(condition)) is not None


@writes(UpdateUser)
def update_user(tx: Transaction, command: UpdateUser) -> Done[User]:
    user = find(tx, command.user_id)
    email = command.email if isinstance(command.email, Unset) else folded(command.email)
    fields = given(
        email=email, name=command.name, avatar_url=command.avatar_url, role=command.role, kind=command.kind,
        status=command.status, metadata=command.metadata,
    )  # fmt: skip
    _must_be_allowed(tx, command, user, fields)
    administrators.must_not_be_system(user)
    must_match(command.if_version, user.version)
    _must_not_be_deleted(tx, user)
    difference = changed(((name, getattr(user, name)) for name in fields), fields)
    _must_be_free(tx, difference.get("email"))
    if not difference:
        return Done(user)
    if difference.get("role", "ADMIN") != "ADMIN" or difference.get("status", "ACTIVE") != "ACTIVE":
        administrators.must_not_be_last(tx, user)
    if "email" in difference:
        if user.domain == domain_of(user.email):  # nothing but the address said it
            difference["domain"] = domain_of(difference["email"])
        notices.tell(tx, "email_changed", user, notices.doer(command.identity, user), command.origin)
    updated = write(tx, user.key, difference)
    access.changed(tx, "user", user.id)
    events = ownership.hand_on_all(tx, user.key, command.identity.author) if "status" in difference else ()
    if updated.status != "ACTIVE":
        access.end_sessions(tx, user.key, "user deactivated")
    elif difference.keys() & LINKED:
        access.end_links(tx, user.key)
    _audit_update(tx, command, user, updated)
    return Done(updated, events, user_events=updated_events(tx, updated))


def updated_events(tx: Transaction, user: User) -> tuple[UserEvent, ...]:
    """Their devices learn who they are now."""
    return user_log.tell(tx, [Entry(user.key, USER_UPDATED, user, {})])


def _must_not_be_deleted(tx: Transaction, user: User) -> None:
    """A user whose erasure was requested cannot be restored."""
    row = rows.first(tx.database, models.User.select(models.User.deleted_at).where(models.User.id == user.key))
    if row is not None and row[0] is not None:
        raise Conflict("The user was deleted; create a new one.", code="user_deleted")


def _audit_update(tx: Transaction, command: UpdateUser, before: User, after: User) -> None:
    """Acts of administrators and changes of rights are audited, but not a user's own change of name."""
    was, is_now = audit.difference(before, after, AUDITED)
    if was and (command.identity.user.key != before.key or was.keys() - {"name"}):
        audit.act(tx, command, "update_user", ("user", before.id), was, is_now)


_ONES_OWN = frozenset({"name", "avatar_url", "metadata"})


def _must_be_allowed(tx: Transaction, command: UpdateUser, user: User, fields: dict[str, Any]) -> None:
    if command.identity.is_admin:
        administrators.must_administer(tx, command.identity)
        return
    if command.identity.user.key != user.key:
        raise Forbidden("Changing another user requires the role ADMIN.")
    beyond = sorted(fields.keys() - _ONES_OWN)
    if beyond:
        raise Forbidden(f"Changing {', '.join(beyond)} requires the role ADMIN.")


def write(tx: Transaction, key: int, fields: dict[str, Any]) -> User:
    if "email" in fields:
        fields = fields | {"shares_email": 0}  # the caller has checked that the new one is free
    update = models.User.update(**fields, version=models.User.version + 1, updated_at=tx.now)
    tx.execute(update.where(models.User.id == key))
    user = by_key(tx, key)
    if fields.get("deleted_at") is not None:
        naming.call(tx, key, "", "")
    elif fields.keys() & {"name", "email"}:
        naming.call(tx, key, user.name, user.email)
    return user


_U = models.User
_BY_ADDRESS = Prepared(lambda given: rows.users_query().where((_U.email == given.email) & (_U.shares_email == 0)))
_BY_KEY = Prepared(lambda given: rows.users_query().where(_U.id == given.key))
_BY_ID = Prepared(lambda given: rows.users_query().where(_U.uid == given.uid))


def _find(tx: Transaction, query: Prepared, **given: Any) -> User | None:
    row = query.first(tx.database, **given)
    return rows.user_of(row) if row else None


def by_address(tx: Transaction, email: str) -> User | None:
    """The one user whose address this is, deactivated or not."""
    return _find(tx, _BY_ADDRESS, email=folded(email)) if email else None


def by_key(tx: Transaction, key: int) -> User:
    user = _find(tx, _BY_KEY, key=key)
    assert user is not None
    return user


def find(tx: Transaction, user_id: str) -> User:
    """Raises `NotFound`."""
    user = _find(tx, _BY_ID, uid=user_id)
    if user is None:
        raise NotFound("user", user_id)
    return user


def user_key(tx: Transaction, user_id: str) -> int:
    """Key of a user who may become a member."""
    user = find(tx, user_id)
    if user.status != "ACTIVE":
        raise Conflict(f"User {user_id!r} is deactivated.")
    return user.key


# Results, read again for an idempotency key


def _again(tx: Transaction, identity: Identity, reference: results.Reference) -> User | None:
    row = rows.first(tx.database, rows.users_query().where(models.User.id == reference["key"]))
    return rows.user_of(row) if row else None


results.keep(User, refer=lambda user: {"key": user.key}, load=_again)
