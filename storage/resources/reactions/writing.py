"""What commands do to the reactions of a message."""

from typing import Any

from peewee import fn

from actors import limits, permissions
from actors.auth.identity import Identity
from actors.errors import Conflict
from actors.events import Event, EventKind
from actors.outcomes import Done
from actors.resources.reactions import REACTION_ADDED, REACTION_REMOVED, React, Reacted, ReactionChange
from actors.resources.user_events import UserEvent
from storage.compiled import Prepared
from storage.journal import results
from storage.journal.transaction import Transaction
from storage.journal.writers import writes
from storage.readers import rows
from storage.resources.messages.writing import Place, current, find, must_be_there
from storage.resources.notifications import writing as notifications
from storage.resources.notifications.writing import Cause
from storage.schema import models


@writes(React)
def react(tx: Transaction, command: React) -> Done[Reacted]:
    place = find(tx, command.thread_id, command.message_id, command.identity)
    permissions.must_be_writer(place.role, place.status)
    must_be_there(place.message)
    there = _MINE.first(tx.database, **_mine(place, command)) is not None
    wanted = not there if command.wanted is None else command.wanted
    if wanted == there:
        return Done(Reacted(wanted, False, place.message))
    event = _give(tx, place, command) if wanted else _take_back(tx, place, command)
    reacted = Reacted(wanted, True, current(tx, place.message, command.identity))
    tell = _notify_author if wanted else _take_notification_back
    return Done(reacted, (event,), user_events=tell(tx, place, command))


def _notify_author(tx: Transaction, place: Place, command: React) -> tuple[UserEvent, ...]:
    author, actor = place.message.author, command.identity.author
    if author.key == actor.key:
        return ()
    return notifications.notify(tx, [Cause("reaction", author.key, place.thread, place.message, actor)])


def _take_notification_back(tx: Transaction, place: Place, command: React) -> tuple[UserEvent, ...]:
    """Unless they have left another emoji."""
    actor = command.identity.user.key
    if _OF_USER.first(tx.database, message=place.message.key, user=actor) is not None:
        return ()
    return notifications.forget_reactions(tx, place.message, place.thread, actor)


def _give(tx: Transaction, place: Place, command: React) -> Event:
    groups = place.message.reactions
    if len(groups) >= limits.REACTIONS_PER_MESSAGE and all(group.emoji != command.emoji for group in groups):
        raise Conflict(
            f"A message may have at most {limits.REACTIONS_PER_MESSAGE} different emoji; this one has as many."
        )
    _GIVE.execute(tx.database, **_mine(place, command), position=tx.position + 1, now=tx.now)
    return _log_reaction(tx, place, command, REACTION_ADDED)


def _take_back(tx: Transaction, place: Place, command: React) -> Event:
    _TAKE_BACK.execute(tx.database, **_mine(place, command))
    return _log_reaction(tx, place, command, REACTION_REMOVED)


def _log_reaction(tx: Transaction, place: Place, command: React, kind: EventKind) -> Event:
    count = _COUNT.all(tx.database, message=place.message.key, emoji=command.emoji)[0][0]
    author = command.identity.author
    change = ReactionChange(place.message.id, command.emoji, author, count)
    small = {"emoji": command.emoji, "count": count}
    return tx.log(place.thread, kind, author, change, ref=place.message.key, small=small)


def _mine(place: Place, command: React) -> dict[str, Any]:
    return {"message": place.message.key, "user": command.identity.user.key, "emoji": command.emoji}


_R = models.Reaction


def _is_mine(given: Any) -> Any:
    return (_R.message == given.message) & (_R.user == given.user) & (_R.emoji == given.emoji)


_MINE = Prepared(lambda given: _R.select(_R.emoji).where(_is_mine(given)))
_OF_USER = Prepared(lambda given: _R.select(_R.emoji).where(_R.message == given.message, _R.user == given.user))
_COUNT = Prepared(
    lambda given: _R.select(fn.COUNT(_R.user)).where(_R.message == given.message, _R.emoji == given.emoji)
)
_GIVE = Prepared(
    lambda given: _R.insert(
        message=given.message, emoji=given.emoji, user=given.user, position=given.position, created_at=given.now
    )
)
_TAKE_BACK = Prepared(lambda given: _R.delete().where(_is_mine(given)))


# The result, read again for an idempotency key


def _reacted_again(tx: Transaction, identity: Identity, reference: results.Reference) -> Reacted | None:
    message = rows.message_by_key(tx.database, reference["key"], identity.user.key)
    return Reacted(reference["added"], reference["changed"], message) if message else None


results.keep(
    Reacted,
    refer=lambda reacted: {"added": reacted.added, "changed": reacted.changed, "key": reacted.message.key},
    load=_reacted_again,
)
