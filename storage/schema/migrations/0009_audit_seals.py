"""What identifies a person leaves the chain of the audit log: the chain holds a seal of it by a random salt.

Entries that are there are chained anew, and one is added that says so. Each keeps the hash that it had, so that a head
that was noted before is still found. Where the chain was broken it stays broken, at the same entry. What stands there
of people who have been erased since goes now, and with it the former hashes from there on: it could be guessed by them.
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Iterator
from typing import Any

import orjson
from peewee import Database

from actors.identifiers import new_id

STEP = 1_000
NEW = ("about_id", "origin_salt", "origin_seal", "change_salt", "change_seal", "former_hash", "hash")
OLD = (
    "uid", "at", "actor_id", "credential", "address", "user_agent", "correlation_id", "action", "target_kind",
    "target_id", "outcome", "reason", "before", "after",
)  # fmt: skip


def up(migrator: Any, db: Database) -> None:
    for column, kind in (
        ("about_id", "TEXT"), ("origin_salt", "BLOB"), ("origin_seal", "TEXT NOT NULL DEFAULT ''"),
        ("change_salt", "BLOB"), ("change_seal", "TEXT NOT NULL DEFAULT ''"), ("former_hash", "TEXT"),
    ):  # fmt: skip
        db.execute_sql(f'ALTER TABLE "audit" ADD COLUMN "{column}" {kind}')
    db.execute_sql('CREATE INDEX "audit_about_id" ON "audit" ("about_id")')
    _Sealing(db).run()


def down(migrator: Any, db: Database) -> None:
    previous = ""
    for key, _, *values in _entries(db):
        previous = _hash([previous, *values])
        db.execute_sql('UPDATE "audit" SET "hash" = ? WHERE "id" = ?', (previous, key))
    db.execute_sql('DROP INDEX "audit_about_id"')
    for column in NEW[:-1]:
        db.execute_sql(f'ALTER TABLE "audit" DROP COLUMN "{column}"')


def _entries(db: Database) -> Iterator[tuple[Any, ...]]:
    columns = ", ".join(f'"{column}"' for column in ("id", "hash", *OLD))
    after: int | None = None
    while True:
        where = "" if after is None else f"WHERE id > {after:d}"
        found = db.execute_sql(f'SELECT {columns} FROM "audit" {where} ORDER BY "id" LIMIT {STEP}').fetchall()  # noqa: S608
        if not found:
            return
        yield from found
        after = found[-1][0]


class _Sealing:
    """One walk through all entries."""

    def __init__(self, db: Database) -> None:
        self._db = db
        erased = "SELECT target_id FROM audit WHERE action = 'delete_user' AND outcome = 'done'"
        self._erased = {row[0] for row in db.execute_sql(erased).fetchall()}
        self._before = ""
        """The hash that the entry before had."""
        self._previous = ""
        """The hash that it has now."""
        self._keeps_hashes = True
        self._count = 0

    def run(self) -> None:
        for key, found, *values in _entries(self._db):
            self._seal(key, found, dict(zip(OLD, values, strict=True)))
        if self._count:
            self._say()

    def _seal(self, key: int, found: Any, entry: dict[str, Any]) -> None:
        self._count += 1
        is_whole = _hash([self._before, *entry.values()]) == found
        entry["about_id"] = _about(entry)
        self._forget_erased(entry)
        sealed = self._sealed(entry)
        # Where it did not follow from the one before, it does not follow now.
        chosen = _chained(self._previous, entry, sealed) if is_whole else found
        former = found if self._keeps_hashes else None
        self._db.execute_sql(
            'UPDATE "audit" SET "address" = ?, "user_agent" = ?, "correlation_id" = ?, "before" = ?, "after" = ?, '
            '"about_id" = ?, "origin_salt" = ?, "origin_seal" = ?, "change_salt" = ?, "change_seal" = ?, '
            '"former_hash" = ?, "hash" = ? WHERE "id" = ?',
            (*_origin(entry), *_change(entry), entry["about_id"], *sealed, former, chosen, key),
        )
        self._before, self._previous = found, chosen

    def _forget_erased(self, entry: dict[str, Any]) -> None:
        if (entry["actor_id"] or entry["about_id"]) in self._erased:
            entry |= {"address": "", "user_agent": "", "correlation_id": ""}
            entry["no_origin"] = True
        if entry["about_id"] in self._erased and entry["action"] != "delete_user":
            entry |= {"before": None, "after": None}
            entry["no_change"] = True
        self._keeps_hashes &= "no_origin" not in entry and "no_change" not in entry

    def _sealed(self, entry: dict[str, Any]) -> tuple[Any, ...]:
        """Salt and seal of both; no salt for what is erased."""
        found: list[Any] = []
        for is_gone, values in (("no_origin", _origin(entry)), ("no_change", _change(entry))):
            salt = secrets.token_bytes(32)
            found += [None if is_gone in entry else salt, _mac(salt, values)]
        return tuple(found)

    def _say(self) -> None:
        salts = secrets.token_bytes(32), secrets.token_bytes(32)
        entry: dict[str, Any] = dict.fromkeys(OLD, "") | {
            "uid": new_id(), "at": time.time_ns() // 1_000_000, "actor_id": None, "credential": "terminal",
            "action": "seal_audit", "outcome": "done", "before": None, "about_id": None,
            "after": orjson.dumps({"entries": self._count}).decode(),
        }  # fmt: skip
        sealed = (salts[0], _mac(salts[0], _origin(entry)), salts[1], _mac(salts[1], _change(entry)))
        names = (*OLD, *NEW)
        values = (*(entry[name] for name in OLD), None, *sealed, None, _chained(self._previous, entry, sealed))
        columns, marks = ", ".join(f'"{name}"' for name in names), ", ".join("?" * len(names))
        self._db.execute_sql(f'INSERT INTO "audit" ({columns}) VALUES ({marks})', values)  # noqa: S608 - our columns


def _about(entry: dict[str, Any]) -> str | None:
    """The user whom an entry is about."""
    if entry["target_kind"] == "user":
        return entry["target_id"] or None
    if entry["target_kind"] == "api_key":
        told = orjson.loads(entry["after"] or entry["before"] or "{}")
        return told.get("user_id") if isinstance(told, dict) else None
    return None


def _origin(entry: dict[str, Any]) -> tuple[Any, ...]:
    return (entry["address"], entry["user_agent"], entry["correlation_id"])


def _change(entry: dict[str, Any]) -> tuple[Any, ...]:
    return (entry["before"], entry["after"])


def _chained(previous: str, entry: dict[str, Any], sealed: tuple[Any, ...]) -> str:
    names = ("uid", "at", "actor_id", "credential", "action", "target_kind", "target_id", "outcome", "reason")
    return _hash([previous, *(entry[name] for name in names), entry["about_id"], sealed[1], sealed[3]])


def _mac(salt: bytes, values: tuple[Any, ...]) -> str:
    return hmac.new(salt, orjson.dumps(values), hashlib.sha256).hexdigest()


def _hash(values: list[Any]) -> str:
    try:
        return hashlib.sha256(orjson.dumps(values)).hexdigest()
    except TypeError:  # what nothing of ours has ever written: it follows from nothing
        return ""
