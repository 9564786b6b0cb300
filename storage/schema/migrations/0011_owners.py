"""Threads whose last owner was deleted or deactivated get another one; the built-in user is what it has to be.

As `storage/resources/members/ownership.py` does it from now on: the one who has been there longest, people first.
"""

import hashlib
from typing import Any

from peewee import Database

_SYSTEM = "\x01system"
_DELETED = "\x01forgotten:" + hashlib.sha256(_SYSTEM.encode()).hexdigest()

_RESTORE = """
UPDATE "user" SET "subject" = ?, "name" = 'System', "role" = 'ADMIN', "kind" = 'SERVICE', "status" = 'ACTIVE',
       "deleted_at" = NULL, "version" = "version" + 1
 WHERE "subject" = ? OR ("subject" = ? AND ("status", "role") <> ('ACTIVE', 'ADMIN'))
"""
_HAND_ON = """
UPDATE "member" SET "role" = 'OWNER', "version" = "version" + 1
 WHERE ("thread_id", "user_id") IN (
    SELECT "thread_id", "user_id" FROM (
        SELECT r."thread_id", r."user_id", max(r."role" = 'OWNER') OVER (PARTITION BY r."thread_id") AS "is_owned",
               row_number() OVER (
                   PARTITION BY r."thread_id"
                   ORDER BY u."subject" = ?, u."kind" <> 'HUMAN', r."joined_at", r."user_id"
               ) AS "place",
               u."subject" = ? AS "is_system"
          FROM "member" AS r JOIN "user" AS u ON u."id" = r."user_id" WHERE u."status" = 'ACTIVE'
    ) WHERE "place" = 1 AND NOT "is_owned" AND NOT "is_system"
 )
"""


def up(migrator: Any, db: Database) -> None:
    db.execute_sql(_RESTORE, (_SYSTEM, _DELETED, _SYSTEM))
    db.execute_sql(_HAND_ON, (_SYSTEM, _SYSTEM))


def down(migrator: Any, db: Database) -> None:
    """What was given stays: nobody knows who had it only since."""
