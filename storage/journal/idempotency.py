"""Idempotency: what a request came to, kept by reference for 24 hours in the transaction of the request itself."""

from collections.abc import Sequence
from typing import Any

import orjson

from actors.auth.identity import Identity
from actors.commands import Once
from actors.errors import KeyReused, NotFound, XpError
from actors.outcomes import Done
from storage.compiled import ManyRows, insert_rows, values
from storage.journal import results
from storage.journal.transaction import Transaction
from storage.schema import models

_I = models.Idempotency


def find(tx: Transaction, identity: Identity, once: Once) -> Done[Any] | None:
    """The first one's result, read again; None where the key is new, or its result is gone and may be made again.
    Raises `KeyReused`, or `NotFound`."""
    found = find_all(tx, [(identity, once)])[0]
    if isinstance(found, NotFound) and once.renews:
        return None
    if isinstance(found, XpError):
        raise found
    return found


def find_all(tx: Transaction, asked: Sequence[tuple[Identity, Once]]) -> list[Done[Any] | XpError | None]:
    """The same for many; what would be raised is answered."""
    pairs = [(identity.user.key, once.key) for identity, once in asked]
    kept = {(user, key): (mark, outcome) for user, key, mark, outcome in _FIND.run(tx.database, pairs)}
    return [
        _replay(tx, identity, once, *kept[pair]) if pair in kept else None
        for pair, (identity, once) in zip(pairs, asked, strict=True)
    ]


def _replay(tx: Transaction, identity: Identity, once: Once, fingerprint: str, outcome: str) -> Done[Any] | XpError:
    if fingerprint != once.fingerprint:
        return KeyReused(once.key)
    try:
        return Done(results.load(tx, identity, orjson.loads(outcome)), replayed=True)
    except XpError as gone:
        return gone


def keep(tx: Transaction, identity: Identity, once: Once, done: Done[Any]) -> None:
    if once.renews:
        tx.execute(_I.delete().where((_I.user == identity.user.key) & (_I.key == once.key)))
    keep_all(tx, [(identity, once, done)])


def keep_all(tx: Transaction, made: Sequence[tuple[Identity, Once, Done[Any]]]) -> None:
    _KEEP.run(
        tx.database,
        [
            (
                identity.user.key,
                once.key,
                once.fingerprint,
                orjson.dumps(results.reference_of(done.result)).decode(),
                tx.now,
            )
            for identity, once, done in made
        ],
    )


def _find(count: int) -> Any:
    table = values(count, 2)
    same = (_I.user == table.c.column1) & (_I.key == table.c.column2)
    return _I.select(_I.user, _I.key, _I.fingerprint, _I.outcome).join(table, on=same)


_FIND = ManyRows(_find)
_KEEP = insert_rows(_I, (_I.user, _I.key, _I.fingerprint, _I.outcome, _I.created_at))
