"""What commands do to sessions: signing in, refreshing, ending."""

from dataclasses import replace
from typing import Any

from actors import limits
from actors.auth.identity import Identity, Origin
from actors.errors import NotFound, Unauthenticated
from actors.identifiers import new_id
from actors.outcomes import Done
from actors.resources.sessions import (
    LINK_IS_NONE,
    REFRESH_IS_NONE,
    EndSession,
    EndSessions,
    FollowLink,
    Method,
    RefreshSession,
    Reused,
    Session,
    SignedIn,
    SignInByProvider,
    StartSession,
)
from actors.resources.users import User
from storage.journal import results
from storage.journal.transaction import Transaction
from storage.journal.writers import writes
from storage.readers import rows
from storage.resources.audit import writing as audit
from storage.resources.credentials import revocation as access
from storage.resources.notices import telling as notices
from storage.resources.sessions import reading as accounts
from storage.resources.users import administrators
from storage.resources.users import writing as users
from storage.schema import identity_models as models
from storage.schema.models import User as UserModel
from storage.schema.models import forgotten

_S, _R, _L, _P, _X = (
    models.Session,
    models.RefreshToken,
    models.SignInLink,
    models.Password,
    models.ExternalAccount,
)


@writes(StartSession)
def start_session(tx: Transaction, command: StartSession) -> Done[SignedIn]:
    if command.password is not None:
        user = users.find(tx, command.user_id)
        if accounts.password_hash(tx.database, user.key) != command.password:  # changed while it was checked
            raise Unauthenticated("The e-mail address or the password is wrong.")
    return Done(_start(tx, users.find(tx, command.user_id), command.method, command.refresh_hash, command.origin))


def _start(tx: Transaction, user: User, method: Method, refresh_hash: bytes, origin: Origin) -> SignedIn:
    administrators.must_not_be_system(user)
    _must_be_active(user)
    uid = new_id()
    insert = _S.insert(
        uid=uid, user=user.key, method=method, address=origin.address, user_agent=origin.user_agent,
        created_at=tx.now, last_seen_at=tx.now, expires_at=tx.now + limits.SESSION_SECONDS * 1000,
    )  # fmt: skip
    _keep_refresh(tx, tx.execute(insert), refresh_hash)
    audit.note(
        tx, "sign_in", ("session", uid), actor_id=user.id, credential=f"session:{uid}", origin=origin,
        after={"method": method},
    )  # fmt: skip
    _, session = _must_find(tx, uid)
    return SignedIn(user, session)


def _must_be_active(user: User) -> None:
    if user.status != "ACTIVE":
        raise Unauthenticated("This account is deactivated; an administrator can say why.")


def _keep_refresh(tx: Transaction, session_key: int, token_hash: bytes) -> None:
    tx.execute(_R.insert(session=session_key, hash=token_hash, created_at=tx.now))


@writes(FollowLink)
def follow_link(tx: Transaction, command: FollowLink) -> Done[SignedIn]:
    query = _L.select(_L.id, UserModel.uid).join(UserModel, on=(_L.user == UserModel.id))
    good = (_L.hash == command.link_hash) & _L.used_at.is_null() & (_L.expires_at > tx.now)
    row = rows.first(tx.database, query.where(good))
    if row is None:
        raise Unauthenticated(LINK_IS_NONE)
    tx.execute(_L.update(used_at=tx.now).where(_L.id == row[0]))
    user = users.find(tx, row[1])
    if command.password is not None:
        keep_password(tx, user.key, command.password)
        access.end_sessions(tx, user.key, "password changed")
        notices.tell(tx, "password_changed", user, "user", command.origin)
    return Done(_start(tx, user, "LINK", command.refresh_hash, command.origin))


def keep_password(tx: Transaction, user_key: int, password_hash: str) -> None:
    tx.execute(_P.delete().where(_P.user == user_key))
    tx.execute(_P.insert(user=user_key, hash=password_hash, changed_at=tx.now))


@writes(SignInByProvider)
def sign_in_by_provider(tx: Transaction, command: SignInByProvider) -> Done[SignedIn]:
    """Found by the provider's id; else by a verified address; else a new user."""
    linked = _linked(tx, command.issuer, command.subject)
    row = linked or _deleted(tx, command) or _by_address(tx, command.email)
    user = users.find(tx, row[0]) if row else users.insert_from_provider(tx, command)
    _must_be_active(user)
    if linked is None:
        tx.execute(_X.insert(issuer=command.issuer, subject=command.subject, user=user.key, created_at=tx.now))
        audit.note(
            tx, "link_account", ("user", user.id), actor_id=user.id, origin=command.origin,
            after={"issuer": command.issuer, "subject": command.subject},
        )  # fmt: skip
        if row:
            notices.tell(tx, "account_linked", user, "user", command.origin, command.issuer)
    return Done(_start(tx, user, "PROVIDER", command.refresh_hash, command.origin))


def _linked(tx: Transaction, issuer: str, subject: str) -> tuple[Any, ...] | None:
    query = _X.select(UserModel.uid).join(UserModel, on=(_X.user == UserModel.id))
    return rows.first(tx.database, query.where((_X.issuer == issuer) & (_X.subject == subject)))


def _deleted(tx: Transaction, command: SignInByProvider) -> tuple[Any, ...] | None:
    """A user who was deleted, of whom a hash of the subject is left: they must not return as a new user."""
    return _linked(tx, command.issuer, forgotten(command.subject))


def _by_address(tx: Transaction, email: str) -> tuple[Any, ...] | None:
    """The user of this verified address, also a deactivated one, who must not return as a new user."""
    owner = users.by_address(tx, email)
    return (owner.id,) if owner is not None else None


@writes(RefreshSession)
def refresh_session(tx: Transaction, command: RefreshSession) -> Done[SignedIn | Reused]:
    """Each refresh token is good once. One that comes again within the grace gets what the first one got; later it was
    stolen, or its successor was: the session ends."""
    query = _R.select(_R.id, _R.used_at, _S.id, _S.uid).join(_S, on=(_R.session == _S.id))
    row = rows.first(tx.database, query.where(_R.hash == command.token_hash))
    if row is None:
        raise Unauthenticated(REFRESH_IS_NONE)
    token_key, used_at, session_key, uid = row
    user, session = _must_find(tx, uid)
    if session.ended_at is not None or session.expires_at <= tx.now:
        raise Unauthenticated("The session has ended; sign in again.")
    _must_be_active(user)
    if used_at is not None:
        if _is_graced(tx, command, session_key, used_at):
            return Done(SignedIn(user, session))
        _end(tx, session, "refresh token reused")
        audit.note(tx, "reuse_refresh_token", ("session", uid), actor_id=user.id, origin=command.origin,
                   outcome="refused", reason="refresh_reused")  # fmt: skip
        return Done(Reused(uid))
    tx.execute(_R.update(used_at=tx.now).where(_R.id == token_key))
    _keep_refresh(tx, session_key, command.next_hash)
    _forget_used(tx, session_key)
    expires_at = tx.now + limits.SESSION_SECONDS * 1000
    tx.execute(_S.update(last_seen_at=tx.now, expires_at=expires_at).where(_S.id == session_key))
    return Done(SignedIn(user, replace(session, last_seen_at=tx.now, expires_at=expires_at)))


def _forget_used(tx: Transaction, session_key: int) -> None:
    """Tokens that were used a month ago: a session may go on for years. One that comes again is unknown then. A few of
    the oldest at a time, more than are added."""
    oldest = _R.select(_R.id, _R.used_at).where(_R.session == session_key).order_by(_R.id)
    month = tx.now - limits.SESSION_SECONDS * 1000
    found = rows.fetch(tx.database, oldest.limit(limits.REFRESH_TOKENS_FORGOTTEN))
    used = [key for key, used_at in found if used_at is not None and used_at < month]
    if used:
        tx.execute(_R.delete().where(_R.id.in_(used)))


def _is_graced(tx: Transaction, command: RefreshSession, session_key: int, used_at: int) -> bool:
    """Whether a token that was used just now may be answered as it was then: only while what followed it, and nothing
    else, waits to be used."""
    follows = (_R.session == session_key) & (_R.hash == command.next_hash) & _R.used_at.is_null()
    is_late = tx.now - used_at > limits.REFRESH_GRACE_SECONDS * 1000
    return not is_late and rows.first(tx.database, _R.select(_R.id).where(follows)) is not None


@writes(EndSession)
def end_session(tx: Transaction, command: EndSession) -> Done[Session]:
    """One's own, or as an admin any user's. Once ended it stays so."""
    user, session = _must_find(tx, command.session_id)
    if user.key != command.identity.user.key and not command.identity.is_admin:
        raise NotFound("session", command.session_id)
    if session.ended_at is None:
        _end(tx, session, command.reason)
        facts = {"reason": command.reason}
        audit.act(tx, command, "end_session", ("session", session.id), after=facts, about=user.id)
    return Done(replace(session, ended_at=session.ended_at or tx.now, end_reason=session.end_reason or command.reason))


@writes(EndSessions)
def end_sessions(tx: Transaction, command: EndSessions) -> Done[int]:
    user = users.find(tx, command.user_id)
    if user.key != command.identity.user.key:
        administrators.must_administer(tx, command.identity)
    ended = access.end_sessions(tx, user.key, command.reason, but=command.identity.session_id)
    if ended:
        audit.act(tx, command, "end_sessions", ("user", user.id), after={"ended": ended, "reason": command.reason})
    return Done(ended)


def _end(tx: Transaction, session: Session, reason: str) -> None:
    tx.execute(_S.update(ended_at=tx.now, end_reason=reason).where(_S.uid == session.id))
    access.changed(tx, "session", session.id)


def _must_find(tx: Transaction, session_id: str) -> tuple[User, Session]:
    row = rows.first(tx.database, accounts.sessions_query().where(_S.uid == session_id))
    if row is None:
        raise NotFound("session", session_id)
    session = accounts.session_of(row)
    return users.find(tx, session.user_id), session


# Results, read again for an idempotency key


def _again(tx: Transaction, identity: Identity, reference: results.Reference) -> Session | None:
    row = rows.first(tx.database, accounts.sessions_query().where(_S.uid == reference["id"]))
    return accounts.session_of(row) if row else None


results.keep(Session, refer=lambda session: {"id": session.id}, load=_again)
