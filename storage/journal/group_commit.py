"""A batch of commands, executed in one transaction: an outcome each, and what is refused undoes only itself.

Nearly every command looks before it writes. What is refused before it has written a row needs no undoing, so it costs
the others nothing. Else the whole batch is rolled back and runs `apart`: with a savepoint for each run of new messages,
which then find all that is refused before they write, and one for each other command.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

import peewee

import storage.journal.housekeeping
import storage.resources
from actors.commands import Once
from actors.errors import Conflict, Internal, XpError
from actors.modules import import_all
from actors.outcomes import Done
from actors.ports import Outcome
from actors.rehearsal import Rehearse
from actors.resources.messages import PostMessage
from storage.database import is_storage_failure
from storage.journal import idempotency as outcomes
from storage.journal import posting
from storage.journal.transaction import Transaction
from storage.journal.writers import writer_of, writes
from storage.resources import message_streams

logger = logging.getLogger("storage.journal")

import_all(storage.resources)  # they name the commands that they write


def together(tx: Transaction, batch: Sequence[Any]) -> list[Outcome]:
    """Without savepoints. Raises what was refused too late for that: then nothing of the batch may be kept."""
    return [outcome for is_plain, run in _runs(batch) for outcome in _run(tx, run, is_plain=is_plain)]


def _run(tx: Transaction, run: Sequence[Any], *, is_plain: bool) -> list[Outcome]:
    if is_plain:
        return _post(tx, run)
    return [_light(tx, command) for command in run]


def apart(tx: Transaction, batch: Sequence[Any]) -> list[Outcome]:
    """With savepoints. Raises only what the database itself cannot do."""
    return [outcome for is_plain, run in _runs(batch) for outcome in _run_apart(tx, run, is_plain=is_plain)]


def whole(tx: Transaction, batch: Sequence[Any]) -> list[Done[Any]]:
    """Raises the first refusal: then nothing of the batch may be kept."""
    return [_accepted(outcome) for outcome in apart(tx, batch)]


def _accepted(outcome: Outcome) -> Done[Any]:
    if isinstance(outcome, XpError):
        raise outcome
    return outcome


def _run_apart(tx: Transaction, run: Sequence[Any], *, is_plain: bool) -> list[Outcome]:
    if is_plain:
        return _halved(tx, run)
    return [_alone(tx, command) for command in run]


def _halved(tx: Transaction, posts: Sequence[PostMessage]) -> list[Outcome]:
    """All by one savepoint; a defect with one of them is found by halves."""
    if len(posts) == 1:
        return [_alone(tx, post) for post in posts]
    position = tx.position
    try:
        with tx.database.savepoint():
            return _post(tx, posts, carefully=True)
    except Exception as error:
        if is_storage_failure(error):
            raise
        logger.warning("%d messages could not be posted together: %s", len(posts), error)
    tx.position = position
    middle = len(posts) // 2
    return _halved(tx, posts[:middle]) + _halved(tx, posts[middle:])


def _light(tx: Transaction, command: Any) -> Outcome:
    """Whose refusal is its outcome, if it came before anything was written."""
    position, written = tx.position, tx.written
    try:
        return _once(tx, command)
    except Exception as error:
        if is_storage_failure(error) or tx.written != written:
            raise
        tx.position = position
        return _refusal(error, command)


def _alone(tx: Transaction, command: Any) -> Outcome:
    position = tx.position
    try:
        with tx.database.savepoint():
            return _once(tx, command)
    except Exception as error:
        if is_storage_failure(error):
            raise
        tx.position = position
        return _refusal(error, command)


def _refusal(error: Exception, command: Any) -> XpError:
    if isinstance(error, XpError):
        return error
    if isinstance(error, peewee.IntegrityError) and "uid" in str(error):
        return Conflict("The id in the request is taken; leave it out, or make a new one.", code="id_taken")
    logger.error("%s failed", type(command).__name__, exc_info=error)
    return Internal()


def _once(tx: Transaction, command: Any) -> Done[Any]:
    once: Once | None = getattr(command, "once", None)
    if once is None:
        return _do(tx, command)
    before = outcomes.find(tx, command.identity, once)
    if before is not None:
        return before
    done = _do(tx, command)
    outcomes.keep(tx, command.identity, once, done)
    return done


def _do(tx: Transaction, command: Any) -> Done[Any]:
    if not isinstance(command, PostMessage):
        return writer_of(type(command))(tx, command)
    stopped = [event for stop in command.interrupts for event in message_streams.interrupt_message(tx, stop).events]
    (outcome,) = posting.post_messages(tx, [command])
    if isinstance(outcome, XpError):
        raise outcome
    return replace(outcome, events=(*stopped, *outcome.events)) if stopped else outcome


class _Undo(Exception):
    """A command was done, and is not to be."""


@writes(Rehearse)
def rehearse(tx: Transaction, asked: Rehearse) -> Done[XpError | None]:
    """Raises only what the database itself cannot do."""
    position, refusal = tx.position, None
    try:
        with tx.database.savepoint():
            _do(tx, asked.command)
            raise _Undo
    except _Undo:
        pass
    except Exception as error:
        if is_storage_failure(error):
            raise
        refusal = _refusal(error, asked.command)
    tx.position = position
    return Done(refusal)


def _post(tx: Transaction, posts: Sequence[PostMessage], *, carefully: bool = False) -> list[Outcome]:
    """Many at a time, also where some of them have idempotency keys."""
    before = _seen_before(tx, posts)
    fresh = [post for index, post in enumerate(posts) if index not in before]
    made = posting.post_messages(tx, fresh, carefully=carefully) if fresh else []
    kept = [
        (post.identity, post.once, outcome)
        for post, outcome in zip(fresh, made, strict=True)
        if post.once is not None and isinstance(outcome, Done)
    ]
    if kept:
        outcomes.keep_all(tx, kept)
    rest = iter(made)
    return [before[index] if index in before else next(rest) for index in range(len(posts))]


def _seen_before(tx: Transaction, posts: Sequence[PostMessage]) -> dict[int, Outcome]:
    asked = [(index, post.identity, post.once) for index, post in enumerate(posts) if post.once is not None]
    if not asked:
        return {}
    found = outcomes.find_all(tx, [(identity, once) for _, identity, once in asked])
    return {index: seen for (index, _, _), seen in zip(asked, found, strict=True) if seen is not None}


def _runs(batch: Sequence[Any]) -> Iterator[tuple[bool, list[Any]]]:
    """Neighbours that are plain posts, or that are not: posts between two other commands are one run."""
    for is_plain, same in groupby(batch, key=_is_plain_post):
        if is_plain:
            for run in _independent(same):
                yield True, run
        else:
            yield False, list(same)


def _is_plain_post(command: Any) -> bool:
    """One that interrupts others is done by itself: they end before it, or not at all."""
    return isinstance(command, PostMessage) and not command.interrupts


def _independent(posts: Iterator[PostMessage]) -> Iterator[list[PostMessage]]:
    """Runs in which none has the id or the idempotency key of another one, answers it, or takes what it may take."""
    run: list[PostMessage] = []
    known: set[Any] = set()
    for post in posts:
        key = (post.identity.user.key, post.once.key) if post.once is not None else None
        takes = _takes(post)
        if post.message_id in known or post.parent_id in known or key in known or not known.isdisjoint(takes):
            yield run
            run, known = [], set()
        run.append(post)
        known.add(post.message_id)
        known.update(takes)
        if key is not None:
            known.add(key)
    yield run


def _takes(post: PostMessage) -> tuple[Any, ...]:
    """What is looked at before anything of a run is written: a file joins one thread, and an author may have few urgent
    messages."""
    is_urgent = post.acknowledgement is not None and post.acknowledgement.urgent
    return (*post.file_ids, ("urgent", post.identity.user.key)) if is_urgent else post.file_ids
