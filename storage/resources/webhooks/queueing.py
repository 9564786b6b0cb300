"""What lies after the cursors of webhooks becomes deliveries: found on a reader's connection, and written in one
transaction with the cursor that moves past it. Posting a message writes nothing for webhooks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import orjson
from peewee import SqliteDatabase

from actors import limits
from actors.event_kinds import USER_KINDS
from actors.identifiers import new_id
from actors.outcomes import Done
from actors.resources.notifications import not_before
from actors.resources.user_events import NOTIFICATION_CREATED
from actors.resources.webhooks import FindNews, NewDelivery, QueueDeliveries
from storage.clock import now_ms
from storage.compiled import Prepared, insert_rows
from storage.journal.transaction import Transaction
from storage.journal.writers import writes
from storage.readers import rows
from storage.readers.answers import answers
from storage.resources.log.reading import head_position
from storage.resources.preferences import reading as preferences
from storage.resources.webhooks.access import may_send, role
from storage.resources.webhooks.reading import has_room
from storage.schema import models, notification_models
from storage.schema import webhook_models as webhooks

_W, _B, _D = webhooks.Webhook, webhooks.WebhookThread, webhooks.WebhookDelivery
_E, _R, _U = models.Event, models.Member, models.User
_OWN, _HEAD = notification_models.UserEvent, notification_models.UserLog

INSERT = insert_rows(
    _D,
    (_D.uid, _D.webhook, _D.type, _D.thread, _D.position, _D.state, _D.attempts, _D.log, _D.not_before, _D.created_at,
     _D.queued_at),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Hook:
    key: int
    user: int
    is_admin: bool
    events: frozenset[str]
    names_threads: bool
    position: int
    own_offset: int


@answers(FindNews)
def find_news(database: SqliteDatabase) -> Sequence[QueueDeliveries] | None:
    """Of each group of webhooks with the same cursor a part, and of each owner's own log."""
    hooks = [hook for hook in _active(database) if hook.events]
    if not hooks:
        return None
    head = head_position(database)
    behind = _by_cursor(hook for hook in hooks if hook.position < head)
    found = [_of_threads(database, group, head) for group in _with_room(database, behind.values())]
    own = [_of_owner(database, hook, own_head) for hook, own_head in _own_behind(database, hooks)]
    return [*found, *filter(None, own)]


_ACTIVE = Prepared(
    lambda given: (
        _W.select(_W.id, _W.user, role(), _W.events, _W.names_threads, _W.position, _W.own_offset)
        .join(_U, on=(_W.user == _U.id))
        .where(may_send(given.now))
    )
)


def _active(database: SqliteDatabase) -> list[_Hook]:
    return [
        _Hook(key, user, counts_as == "ADMIN", frozenset(orjson.loads(events)), bool(names), position, own_offset)
        for key, user, counts_as, events, names, position, own_offset in _ACTIVE.all(database, now=now_ms())
    ]


def _by_cursor(hooks: Iterable[_Hook]) -> dict[int, list[_Hook]]:
    found: dict[int, list[_Hook]] = {}
    for hook in hooks:
        found.setdefault(hook.position, []).append(hook)
    return found


def _with_room(database: SqliteDatabase, groups: Iterable[list[_Hook]]) -> list[list[_Hook]]:
    """Those furthest behind first. A webhook with many deliveries that wait stays where it is."""
    found = []
    for group in sorted(groups, key=lambda group: group[0].position):
        ready = [hook for hook in group if has_room(database, hook.key)]
        if ready:
            found.append(ready)
        if len(found) == limits.WEBHOOK_GROUPS:
            break
    return found


# Events of threads


def _of_threads(database: SqliteDatabase, group: list[_Hook], head: int) -> QueueDeliveries:
    after = group[0].position
    query = _E.select(_E.position, _E.thread, _E.type).where((_E.position > after) & (_E.position <= head))
    entries = rows.fetch(database, query.order_by(_E.position).limit(limits.WEBHOOK_SCAN))
    up_to = entries[-1][0] if len(entries) == limits.WEBHOOK_SCAN else head
    wanted = frozenset[str]().union(*(hook.events for hook in group))
    entries = [entry for entry in entries if entry[2] in wanted]
    threads = _threads_of(database, group, {thread for _, thread, _ in entries}) if entries else {}
    found = tuple(
        NewDelivery(hook.key, position, kind, thread, 0)
        for position, thread, kind in entries
        for hook in group
        if kind in hook.events and thread in threads[hook.key]
    )
    return QueueDeliveries(tuple(hook.key for hook in group), False, after, up_to, found)


def _threads_of(database: SqliteDatabase, group: list[_Hook], threads: set[int]) -> Mapping[int, set[int]]:
    """Webhook → those of these threads whose events it gets; see `access.sees`, which is asked again for an attempt."""
    keys = list(threads)
    members: dict[int, set[int]] = {}
    owners = list({hook.user for hook in group})
    query = _R.select(_R.user, _R.thread).where(_R.thread.in_(keys) & _R.user.in_(owners))
    for user, thread in rows.fetch(database, query):
        members.setdefault(user, set()).add(thread)
    named: dict[int, set[int]] = {}
    hooks = [hook.key for hook in group if hook.names_threads]
    choices = _B.select(_B.webhook, _B.thread).where(_B.webhook.in_(hooks) & _B.thread.in_(keys))
    for hook_key, thread in rows.fetch(database, choices) if hooks else ():
        named.setdefault(hook_key, set()).add(thread)
    return {hook.key: _visible(hook, members.get(hook.user, set()), named.get(hook.key, set())) for hook in group}


def _visible(hook: _Hook, member_of: set[int], named: set[int]) -> set[int]:
    if not hook.names_threads:
        return member_of
    return named if hook.is_admin else named & member_of


# Events of the owner's own log


def _own_behind(database: SqliteDatabase, hooks: Sequence[_Hook]) -> list[tuple[_Hook, int]]:
    interested = [hook for hook in hooks if not hook.events.isdisjoint(USER_KINDS)]
    if not interested:
        return []
    owners = list({hook.user for hook in interested})
    heads = dict(rows.fetch(database, _HEAD.select(_HEAD.user, _HEAD.offset).where(_HEAD.user.in_(owners))))
    return [(hook, heads[hook.user]) for hook in interested if heads.get(hook.user, 0) > hook.own_offset]


def _of_owner(database: SqliteDatabase, hook: _Hook, head: int) -> QueueDeliveries | None:
    if not has_room(database, hook.key):
        return None
    query = _OWN.select(_OWN.offset, _OWN.type, _OWN.time).where(_OWN.user == hook.user)
    query = query.where((_OWN.offset > hook.own_offset) & (_OWN.offset <= head)).order_by(_OWN.offset)
    entries = rows.fetch(database, query.limit(limits.WEBHOOK_SCAN))
    up_to = entries[-1][0] if len(entries) == limits.WEBHOOK_SCAN else head
    found = tuple(
        NewDelivery(hook.key, offset, kind, None, _due(database, hook.user, kind, time))
        for offset, kind, time in entries
        if kind in hook.events
    )
    return QueueDeliveries((hook.key,), True, hook.own_offset, up_to, found)


def _due(database: SqliteDatabase, user_key: int, kind: str, time: int) -> int:
    """A notification leaves the server when the quiet hours of its user allow it."""
    if kind != NOTIFICATION_CREATED.name:
        return 0
    due = not_before(time, preferences.of_user(database, user_key))
    return due if due > time else 0


# Written


@writes(QueueDeliveries)
def queue(tx: Transaction, command: QueueDeliveries) -> Done[int]:
    cursor = _W.own_offset if command.own else _W.position
    same = _W.id.in_(list(command.webhook_keys)) & (cursor == command.after)
    update = _W.update({cursor: command.up_to}).where(same).returning(_W.id)
    moved = {row[0] for row in update.tuples().execute(tx.database)}
    made = [
        (new_id(), new.webhook_key, new.type, new.thread_key, new.position, "pending", 0, "[]",
         new.not_before or tx.now, tx.now, tx.now)
        for new in command.deliveries
        if new.webhook_key in moved
    ]  # fmt: skip
    if made:
        INSERT.run(tx.database, made)
    return Done(len(made))
