"""What becomes of a user who is deleted: nobody can sign in for them, they leave their threads, and where it was asked
for, what they wrote is taken away, step by step."""

from actors.auth.identity import Identity
from actors.errors import Conflict
from actors.events import Event
from actors.outcomes import Done
from actors.permissions import must_match
from actors.resources.files.erasure import FileErasure, FilesKept, UserGone
from actors.resources.members import MEMBER_REMOVED, MemberGone
from actors.resources.users import DeleteUser, User
from storage import declared
from storage.compiled import Prepared
from storage.journal import results
from storage.journal.transaction import Transaction
from storage.journal.writers import writes
from storage.personal import Personal
from storage.readers import rows
from storage.resources.actions import retention as actions
from storage.resources.audit import writing as audit
from storage.resources.credentials import revocation as access
from storage.resources.files import erasure as files
from storage.resources.holds import writing as holds
from storage.resources.members import ownership
from storage.resources.users import administrators
from storage.resources.users import writing as users
from storage.schema import identity_models, models, notification_models


@writes(DeleteUser)
def delete_user(tx: Transaction, command: DeleteUser) -> Done[UserGone]:
    """Deactivate for good and take the person out of it; what they wrote stays, by a nameless author."""
    administrators.must_administer(tx, command.identity)
    user = users.find(tx, command.user_id)
    administrators.must_not_be_system(user)
    must_match(command.if_version, user.version)
    if user.key == command.identity.user.key:
        raise Conflict("You cannot delete yourself; ask another admin.")
    administrators.must_not_be_last(tx, user)
    holds.must_not_be_held(tx, user)
    subject = models.forgotten(user.subject)
    blank = {
        "subject": subject,
        "email": "",
        "name": "Deleted user",
        "avatar_url": None,
        "metadata": "{}",
        "claims": "",
    }
    gone = users.write(tx, user.key, {**blank, "role": "USER", "status": "DEACTIVATED", "deleted_at": tx.now})
    access.end_sessions(tx, user.key, "user deleted")
    access.revoke_keys(tx, user.key)
    _forget_accounts(tx, user.key)
    erased = _begin_erasure(tx, user.key, everything=command.content == "remove")
    access.changed(tx, "user", user.id)
    was = {name: getattr(user, name) for name in ("role", "kind", "domain", "status")}  # no name: it is to be forgotten
    audit.forget(tx, user.id)
    audit.act(tx, command, "delete_user", ("user", user.id), was, {"content": command.content})
    actions.forget_user(tx, user.key)
    for personal in declared.each("PERSONAL"):
        if not personal.kept:
            tx.execute(personal.column.model.delete().where(personal.column == user.key))
    tx.execute(_LOG.update(first=_LOG.offset + 1).where(_LOG.user == user.key))
    events = tuple(event for thread in _threads_of(tx, user.key) for event in _leave(tx, thread, command, gone))
    return Done(UserGone(user.id, erased), events)


def _begin_erasure(tx: Transaction, user_key: int, *, everything: bool) -> FileErasure:
    """Steps of `EraseContent` follow."""
    Erasure = identity_models.Erasure
    report = files.report(tx.database, user_key, everything=everything)
    files.begin(tx, user_key)
    if everything or report.removed:
        stage = "messages" if everything else "private_files"
        tx.execute(Erasure.insert(user=user_key, requested_at=tx.now, stage=stage).on_conflict_ignore())
    return report


def _forget_accounts(tx: Transaction, user_key: int) -> None:
    """Of each only a hash of the subject is left, so that a token of that issuer does not bring them back either."""
    External = identity_models.ExternalAccount
    for issuer, subject in rows.fetch(
        tx.database, External.select(External.issuer, External.subject).where(External.user == user_key)
    ):
        kept = External.insert(issuer=issuer, subject=models.forgotten(subject), user=user_key, created_at=tx.now)
        tx.execute(kept.on_conflict_ignore())
    tx.execute(External.delete().where((External.user == user_key) & ~External.subject.startswith(models.FORGOTTEN)))


_LOG = notification_models.UserLog
PERSONAL = (
    Personal(
        models.UserHandle.user, kept="it follows the name, which is blank by then", withheld="a part of the name"
    ),
    Personal(
        identity_models.Erasure.user, kept="it says what is still to be removed, and goes with the last of it",
        withheld="there is none before the user is deleted",
    ),
)  # fmt: skip


def _threads_of(tx: Transaction, user_key: int) -> list[tuple[int, str]]:
    Member, Thread = models.Member, models.Thread
    query = Thread.select(Thread.id, Thread.uid).join(Member, on=(Member.thread == Thread.id))
    rows_found = rows.fetch(tx.database, query.where((Member.user == user_key) & Thread.deleted_at.is_null()))
    return [(key, uid) for key, uid in rows_found]


_M = models.Member
_END_MEMBERSHIP = Prepared(lambda given: _M.delete().where((_M.thread == given.thread) & (_M.user == given.user)))
"""Prepared: an assistant may be in thousands of threads, and others wait to write until it has left them all."""


def _leave(tx: Transaction, thread: tuple[int, str], command: DeleteUser, user: User) -> tuple[Event, ...]:
    actor = command.identity.author
    _END_MEMBERSHIP.execute(tx.database, thread=thread[0], user=user.key)
    gone = tx.log(thread, MEMBER_REMOVED, actor, MemberGone(user.author), ref=user.key)
    return (gone, *ownership.hand_on(tx, thread, actor))


def _refer(gone: UserGone) -> results.Reference:
    kept = [(each.reason, each.count, each.size) for each in gone.files.kept]
    return {"id": gone.id, "removed": gone.files.removed, "size": gone.files.size, "kept": kept}


def _as_it_was(_tx: Transaction, _identity: Identity, kept: results.Reference) -> UserGone:
    reasons = tuple(FilesKept(*each) for each in kept["kept"])
    return UserGone(kept["id"], FileErasure(kept["removed"], kept["size"], reasons))


results.keep(UserGone, refer=_refer, load=_as_it_was)
