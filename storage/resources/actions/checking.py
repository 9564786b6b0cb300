"""Whether a message or an artifact offers an action: on a reader's connection, where a long form delays no writer."""

from collections.abc import Mapping
from typing import Any

import orjson
from peewee import SqliteDatabase

from actors import limits, permissions
from actors.auth.identity import Identity
from actors.errors import Forbidden, TooLarge, ValidationFailed
from actors.resources.actions import CheckAction, Checked, GetOptionSource, OptionSource, Subject
from actors.resources.blocks import inputs, offers
from actors.resources.blocks.faults import by_pointer
from actors.resources.blocks.inputs import Filled
from actors.resources.blocks.offers import Json, Offer
from actors.resources.threads import ThreadStatus
from storage.readers import access, rows
from storage.readers.answers import answers
from storage.resources.actions import subjects
from storage.schema import file_models, models

State = Mapping[str, Mapping[str, Any]]


@answers(CheckAction)
def check(
    database: SqliteDatabase,
    identity: Identity,
    subject: Subject,
    *,
    block_id: str,
    action_id: str,
    value: Any,
    state: State,
    confirmed: bool,
) -> Checked:
    offering = subjects.offering(database, identity, subject)
    blocks = offering.blocks
    offer = offered(blocks, block_id, action_id)
    _must_be_for(offer, identity)
    if offer.element.get("confirm") and not confirmed:
        raise ValidationFailed({"/confirmed": ["expected true: the element asks the person to confirm."]})
    given = inputs.with_default(offer, value)
    filled = Filled()
    if offer.kind == "form":
        _fill_form(offer, blocks, given, state, filled)
    else:
        inputs.check(offer, given, (None, "value"), filled)
        others = {name: each for name, each in offers.offers(blocks).items() if each.kind in offers.STATEFUL}
        inputs.check_state(state, others, (None, "state"), filled, is_form=False)
    _look_up(database, identity, offering.thread_id, filled)
    _must_be_good(filled)
    return _checked(offering.mark, offer, given, state)


def offered(blocks: list[Any], block_id: str, action_id: str) -> Offer:
    """Raises `ValidationFailed` where the blocks have no such element."""
    offer = offers.offers(blocks).get((block_id, action_id))
    if offer is not None and offer.acts:
        return offer
    if offers.block_of(blocks, block_id) is None:
        raise ValidationFailed({"/block_id": ["expected one of the blocks; there is no such one (any more)."]})
    raise ValidationFailed({"/action_id": ["expected an element of the block that can be acted on."]})


def _must_be_for(offer: Offer, identity: Identity) -> None:
    visible_to = offer.element.get("visible_to_user_ids")
    if visible_to and identity.user.id not in visible_to:
        raise ValidationFailed({"/action_id": ["expected an element that is shown to you."]})


def _fill_form(offer: Offer, blocks: list[Any], value: Any, state: State, filled: Filled) -> None:
    found = offers.block_of(blocks, offer.block_id)
    assert found is not None
    if value is not None:
        filled.faults.add((None, "value"), "unknown_field", "the values of a form in `state`", actual="a value")
    inputs.check_state(state, offers.inputs_of(*found), (None, "state"), filled, is_form=True)


def _must_be_good(filled: Filled) -> None:
    if filled.faults.count:
        raise ValidationFailed(by_pointer(filled.faults.found))


def _checked(mark: str, offer: Offer, value: Any, state: State) -> Checked:
    texts = orjson.dumps(value).decode(), orjson.dumps(state).decode()
    if (size := sum(map(len, texts))) > limits.ACTION_STATE_BYTES:
        raise TooLarge("`value` and `state`", limits.ACTION_STATE_BYTES, size)
    closes_at = offers.closes_at(offer)
    return Checked(
        mark=mark,
        kind=offer.kind,
        value=texts[0],
        state=texts[1],
        closes_at=closes_at,
        is_counted_once=closes_at is not None,
    )


# Where options come from


@answers(GetOptionSource)
def option_source(
    database: SqliteDatabase, identity: Identity, subject: Subject, *, block_id: str, action_id: str
) -> OptionSource:
    offering = subjects.offering(database, identity, subject)
    key, status = _thread_of(database, offering.thread_id)
    permissions.must_write(identity, access.role(database, key, identity.user.key), offering.thread_id, status)
    if offering.author.key == identity.user.key:
        raise Forbidden(f"{subjects.AUTHORS[subject.kind].capitalize()} does not act on it.")
    offer = offers.inputs(offering.blocks).get((block_id, action_id))
    if offer is None or "external_select" not in offer.kind:
        raise ValidationFailed({"/action_id": ["expected an external select of the blocks."]})
    first = offer.element.get("initial_option")
    return OptionSource(
        thread_id=offering.thread_id,
        author=offering.author,
        is_heard=access.role(database, key, offering.author.key) is not None,
        metadata=offering.metadata,
        least=offer.element.get("min_query_length") or 0,
        fallback={"options": [first] if first else offer.element.get("initial_options") or [], "option_groups": []},
    )


def _thread_of(database: SqliteDatabase, thread_id: str) -> tuple[int, ThreadStatus]:
    T = models.Thread
    row = rows.first(database, T.select(T.id, T.status).where(T.uid == thread_id))
    assert row is not None
    return row[0], row[1]


# Who and what is named


def _look_up(database: SqliteDatabase, identity: Identity, thread_id: str, filled: Filled) -> None:
    for at, what, uid, element in filled.named:
        expected = _LOOK_UPS[what](database, identity, thread_id, uid, element)
        if expected:
            filled.faults.add(at, "not_a_choice", expected, actual=repr(uid))


def _member(database: SqliteDatabase, _: Identity, thread_id: str, uid: str, __: Json) -> str:
    R, U, T = models.Member, models.User, models.Thread
    query = R.select(R.role).join(U, on=(R.user == U.id)).join_from(R, T, on=(R.thread == T.id))
    is_there = rows.first(database, query.where((U.uid == uid) & (T.uid == thread_id)))
    return "" if is_there else "a member of the thread"


def _thread(database: SqliteDatabase, identity: Identity, _: str, uid: str, __: Json) -> str:
    R, T = models.Member, models.Thread
    mine = (T.uid == uid) & (R.user == identity.user.key) & T.deleted_at.is_null()
    is_there = rows.first(database, R.select(R.role).join(T, on=(R.thread == T.id)).where(mine))
    return "" if is_there else "a thread that you are a member of"


def _file(database: SqliteDatabase, _: Identity, thread_id: str, uid: str, element: Json) -> str:
    F, T = file_models.File, models.Thread
    query = F.select(F.name).join(T, on=(F.thread == T.id))
    there = (F.uid == uid) & F.deleted_at.is_null() & (T.uid == thread_id)
    row = rows.first(database, query.where(there))
    if row is None:
        return "a file of the thread, where the author of the message can read it"
    kinds = [kind.lower().lstrip(".") for kind in element.get("filetypes") or ()]
    if kinds and row[0].rpartition(".")[2].lower() not in kinds:
        return f"a file of type {', '.join(kinds)}"
    return ""


_LOOK_UPS = {"user": _member, "thread": _thread, "file": _file}
