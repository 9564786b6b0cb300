"""An e-mail address is one user's. Nobody loses theirs: of several who had the same before, each keeps it and comes in
as before, and one (active before others, then the oldest) is the user whom new tokens and providers mean by it."""

from typing import Any

from peewee import Database

from actors.text.email_address import folded


def up(migrator: Any, db: Database) -> None:
    db.execute_sql('ALTER TABLE "external_account" ADD COLUMN "claims" TEXT NOT NULL DEFAULT \'\'')
    db.execute_sql('ALTER TABLE "user" ADD COLUMN "shares_email" INTEGER NOT NULL DEFAULT 0')
    _fold(db)
    db.execute_sql(
        'UPDATE "user" SET "shares_email" = 1 WHERE "email" != \'\' AND "id" NOT IN ('
        'SELECT "id" FROM (SELECT "id", ROW_NUMBER() OVER (PARTITION BY "email" ORDER BY "status" != \'ACTIVE\', "id") '
        'AS "place" FROM "user") WHERE "place" = 1)'
    )
    db.execute_sql(
        'CREATE UNIQUE INDEX "user_address" ON "user" ("email") WHERE (("email" != \'\') AND ("shares_email" = 0))'
    )


def _fold(db: Database) -> None:
    """Addresses outside of ASCII were in lower case only, and one was spelled in two ways."""
    for key, email in db.execute_sql('SELECT "id", "email" FROM "user" WHERE "email" != \'\'').fetchall():
        if (same := folded(email)) != email:
            db.execute_sql('UPDATE "user" SET "email" = ? WHERE "id" = ?', (same, key))


def down(migrator: Any, db: Database) -> None:
    db.execute_sql('DROP INDEX "user_address"')
    db.execute_sql('ALTER TABLE "user" DROP COLUMN "shares_email"')
    db.execute_sql('ALTER TABLE "external_account" DROP COLUMN "claims"')
