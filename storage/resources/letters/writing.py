"""Letters that are asked for, sealed with a link, and ended."""

from peewee import JOIN, fn

from actors import limits
from actors.outcomes import Done
from actors.resources.letters import (
    SECONDS,
    Asked,
    AskForLink,
    EndLetter,
    Letter,
    LetterState,
    SealLetter,
    is_late,
    next_attempt,
)
from actors.resources.users import User
from storage.journal.transaction import Transaction
from storage.journal.writers import writes
from storage.readers import rows
from storage.resources.audit import writing as audit
from storage.resources.letters.inviting import insert, may_sign_in
from storage.resources.users import writing as users
from storage.schema import identity_models, letter_models, models

L, _LINK, _T = letter_models.Letter, identity_models.SignInLink, models.Thread


@writes(AskForLink)
def ask(tx: Transaction, command: AskForLink) -> Done[Asked]:
    user = users.by_address(tx, command.email)
    if user is None or not may_sign_in(user):
        return Done("unknown")
    if not _has_room(tx, user):
        return Done("too_soon")
    insert(tx, kind="sign_in", user=user.key, address=user.email, return_to=command.return_to)
    audit.note(tx, "ask_for_sign_in_link", ("user", user.id), actor_id=None, origin=command.origin)
    return Done("asked")


def _has_room(tx: Transaction, user: User) -> bool:
    theirs = (L.user == user.key) & (L.kind == "sign_in") & tx.is_within(L.created_at, 3600)
    count, newest = rows.fetch(tx.database, L.select(fn.COUNT(L.id), fn.MAX(L.created_at)).where(theirs))[0]
    has_paused = newest is None or newest <= tx.now - limits.LETTER_PAUSE_SECONDS * 1000
    return bool(has_paused and count < limits.LETTERS_PER_HOUR)


@writes(SealLetter)
def seal(tx: Transaction, command: SealLetter) -> Done[Letter | None]:
    row = rows.first(
        tx.database,
        L.select(L.kind, L.user, L.address, L.inviter, L.return_to, L.created_at, _T.title, L.thread, _T.deleted_at)
        .join(_T, JOIN.LEFT_OUTER, on=(L.thread == _T.id))
        .where((L.id == command.key) & (L.state == "pending")),
    )
    if row is None:
        return Done(None)
    kind, user_key, address, inviter_key, return_to, created_at, title, thread_key, deleted_at = row
    user = users.by_key(tx, user_key)
    is_theirs = user.email == address and may_sign_in(user) and (thread_key is None or deleted_at is None)
    if not is_theirs or (thread_key is not None and tx.role(thread_key, user_key) is None):
        return _dropped(tx, command.key)
    if is_late(kind, created_at, tx.now):
        return _dropped(tx, command.key)
    expires_at = tx.now + SECONDS[kind] * 1000
    tx.execute(_LINK.insert(user=user_key, hash=command.link_hash, created_at=tx.now, expires_at=expires_at))
    inviter = "" if inviter_key is None else tx.author(inviter_key).name
    return Done(Letter(command.key, kind, user, inviter, title, return_to))


def _dropped(tx: Transaction, key: int) -> Done[Letter | None]:
    tx.execute(L.update(state="failed").where(L.id == key))
    return Done(None)


@writes(EndLetter)
def end(tx: Transaction, command: EndLetter) -> Done[LetterState]:
    waiting = (L.id == command.key) & (L.state == "pending")
    row = rows.first(tx.database, L.select(L.kind, L.created_at, L.attempts).where(waiting))
    if row is None:
        return Done("failed")
    kind, created_at, attempts = row
    again = next_attempt(kind, created_at, attempts + 1, tx.now) if command.retry else None
    state: LetterState = command.state if again is None else "pending"
    columns = {"state": state, "attempts": attempts + 1, **({} if again is None else {"not_before": again})}
    tx.execute(L.update(columns).where(waiting))
    return Done(state)
