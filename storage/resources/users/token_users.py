"""Whom a token of another issuer speaks for: known by `sub`, linked by issuer and `sub`, or by a verified address."""

from typing import Any

import orjson

from actors.identifiers import new_id
from actors.outcomes import Done
from actors.resources.users import EnsureUser, User
from storage.journal.transaction import Transaction
from storage.journal.writers import writes
from storage.resources.audit import writing as audit
from storage.resources.credentials import reading as credentials
from storage.resources.credentials import revocation as access
from storage.resources.credentials.reading import Spoken
from storage.resources.notices import telling as notices
from storage.resources.users import administrators
from storage.resources.users import writing as users
from storage.schema import identity_models, models


@writes(EnsureUser)
def ensure_user(tx: Transaction, command: EnsureUser) -> Done[User]:
    """Create the user at first sight; later write only changed claims.

    Compared with the claims seen last, not with the user: what an admin has changed since stays changed. A deactivated
    user stays as they are; a deleted one must not come back by a token.
    """
    claims, text = credentials.claims_of(command), credentials.claims_text(command)
    spoken = credentials.spoken_for(tx.database, command.issuer, command.subject) or _adopt(tx, command)
    if spoken is None:
        owner = users.by_address(tx, claims["email"])
        return Done(_insert(tx, command, claims, text) if owner is None else _link(tx, command, owner, text))
    if spoken.claims == text or spoken.user.status != "ACTIVE":
        return Done(spoken.user)
    return _update(tx, command, spoken, claims, text)


def _update(tx: Transaction, command: EnsureUser, spoken: Spoken, claims: dict[str, Any], text: str) -> Done[User]:
    before = orjson.loads(spoken.claims) if spoken.claims else _NOTHING_SEEN
    news = {name: value for name, value in claims.items() if value and value != before.get(name)}
    if news.get("role", "ADMIN") != "ADMIN" and administrators.is_last(tx, spoken.user):
        del news["role"]  # and not taken for seen: it holds once there is another administrator
        text = orjson.dumps(claims | {"role": before.get("role")}).decode()
        if not news and text == spoken.claims:
            return Done(spoken.user)
    if "email" in news and _is_taken(tx, command, spoken.user, news["email"]):
        del news["email"]
    seen = {} if spoken.is_linked else {"claims": text}
    if spoken.is_linked:
        tx.execute(_X.update(claims=text).where((_X.issuer == command.issuer) & (_X.subject == command.subject)))
    user = users.write(tx, spoken.user.key, news | seen) if news or seen else spoken.user
    if news.keys() & users.LINKED:
        access.end_links(tx, user.key)
    if user.email != spoken.user.email:  # what a token says for the first time may be known already
        notices.tell(tx, "email_changed", spoken.user, "provider")
    if not news:
        return Done(user)
    access.changed(tx, "user", user.id)
    return Done(user, user_events=users.updated_events(tx, user))


_X = identity_models.ExternalAccount
_NOTHING_SEEN: dict[str, Any] = {"kind": "HUMAN"}
"""Of a user that an admin has created. A token without a kind means HUMAN, which is no change."""


def _is_taken(tx: Transaction, command: EnsureUser, user: User, email: str) -> bool:
    """Whether a new address of theirs is another user's: two users with histories of their own do not become one by a
    claim, and one who keeps the old address is noted for an administrator."""
    owner = users.by_address(tx, email)
    if owner is None or owner.key == user.key:
        return False
    audit.note(
        tx, "link_account", ("user", owner.id), actor_id=user.id, outcome="refused", reason="email_taken",
        after=_account(command),
    )  # fmt: skip
    return True


def _adopt(tx: Transaction, command: EnsureUser) -> Spoken | None:
    """A user that an admin created with this address and that no token belongs to yet: this one does from now on."""
    owner = users.by_address(tx, command.email)
    if owner is None or owner.status != "ACTIVE" or owner.subject != owner.id:
        return None
    spoken = credentials.by_subject(tx.database, owner.subject)
    if spoken is None or spoken.claims:
        return None
    tx.execute(models.User.update(subject=command.subject).where(models.User.id == owner.key))
    _note_link(tx, command, owner)
    return spoken


def _link(tx: Transaction, command: EnsureUser, owner: User, text: str) -> User:
    """The same person by another `sub`. Nothing of the user changes by it: what this issuer says from now on does.

    One who is deactivated is answered as such, and is linked to nothing.
    """
    if owner.status == "ACTIVE":
        insert = _X.insert(
            issuer=command.issuer, subject=command.subject, user=owner.key, claims=text, created_at=tx.now
        )
        tx.execute(insert)
        _note_link(tx, command, owner)
    return owner


def _note_link(tx: Transaction, command: EnsureUser, owner: User) -> None:
    audit.note(tx, "link_account", ("user", owner.id), actor_id=owner.id, after=_account(command))
    notices.tell(tx, "account_linked", owner, "provider", detail=command.issuer)


def _account(command: EnsureUser) -> dict[str, str]:
    return {"issuer": command.issuer, "subject": command.subject}


def _insert(tx: Transaction, command: EnsureUser, claims: dict[str, Any], text: str) -> User:
    fields = claims | {"role": command.role or "USER"}
    fields["name"] = claims["name"] or command.email.partition("@")[0] or command.subject
    insert = models.User.insert(
        uid=new_id(), subject=command.subject, claims=text, created_at=tx.now, updated_at=tx.now, **fields
    )
    return users.made(tx, tx.execute(insert))
