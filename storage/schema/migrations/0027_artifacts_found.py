"""A search finds artifacts: at which log entry each was created, and the beginning of its text.

Artifacts that are there already are indexed with everything else, once, while the server is idle.
"""

import json
import zlib
from typing import Any

from peewee import Database

from actors.resources.artifacts.contents import words
from actors.text.folding import fold

_NEWEST = """
    SELECT a."id", v."title", b."data" FROM "artifact" AS a
      JOIN "artifact_version" AS v ON v."artifact_id" = a."id" AND v."number" = a."version"
      JOIN "artifact_body" AS b ON b."id" = v."body_id"
     WHERE a."deleted_at" IS NULL AND a."id" > ? ORDER BY a."id" LIMIT 1"""


def up(migrator: Any, db: Database) -> None:
    db.execute_sql('ALTER TABLE "artifact" ADD COLUMN "position" INTEGER')
    db.execute_sql(
        'UPDATE "artifact" SET "position" = (SELECT max(e."position") FROM "event" AS e'
        ' WHERE e."ref" = "artifact"."id" AND e."type" = \'artifact.created\''
        " AND SUBSTR(e.\"type\", 1, 8) IN ('artifact', 'proposal', 'comment.'))"
    )
    db.execute_sql('DROP TABLE "artifact_text"')
    db.execute_sql(
        """CREATE VIRTUAL TABLE "artifact_text" USING fts5 (title, text, excerpt UNINDEXED, folded UNINDEXED,
        tokenize="porter unicode61 remove_diacritics 2 categories 'L* N* Mn Mc'")"""
    )
    if _fill(db):
        db.execute_sql('UPDATE "search_progress" SET "version" = \'\'')  # made anew at the next start
    db.execute_sql('CREATE UNIQUE INDEX "artifact_position" ON "artifact" ("position") WHERE ("position" IS NOT NULL)')


def _fill(db: Database) -> int:
    """One after the other: all contents may be more than memory should hold."""
    last, count = 0, 0
    while row := db.execute_sql(_NEWEST, (last,)).fetchone():
        last, title, data = row
        found = words(json.loads(zlib.decompress(data)))
        db.execute_sql(
            'INSERT INTO "artifact_text" (rowid, "title", "text", "excerpt", "folded") VALUES (?, ?, ?, ?, ?)',
            (last, fold(title), found.folded, found.excerpt, found.folded_excerpt),
        )
        count += 1
    return count


def down(migrator: Any, db: Database) -> None:
    db.execute_sql(
        """CREATE VIRTUAL TABLE "artifact_text_new" USING fts5 (title, text,
        tokenize="porter unicode61 remove_diacritics 2 categories 'L* N* Mn Mc'")"""
    )
    db.execute_sql(
        'INSERT INTO "artifact_text_new" (rowid, "title", "text") SELECT rowid, "title", "text" FROM "artifact_text"'
    )
    db.execute_sql('DROP TABLE "artifact_text"')
    db.execute_sql('ALTER TABLE "artifact_text_new" RENAME TO "artifact_text"')
    db.execute_sql('DROP INDEX "artifact_position"')
    db.execute_sql('ALTER TABLE "artifact" DROP COLUMN "position"')
    db.execute_sql('UPDATE "search_progress" SET "version" = \'\'')
