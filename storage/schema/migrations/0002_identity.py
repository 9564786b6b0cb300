"""Sessions, API keys, passwords, identity providers, revocation, and the audit log."""

from typing import Any

from peewee import BigIntegerField, BlobField, Check, CompositeKey, Database, ForeignKeyField, Model, TextField


def one_of(column: str, values: tuple[str, ...]) -> Any:
    return Check(f"{column} IN ({', '.join(repr(value) for value in values)})")


class User(Model):
    """What is referred to here of the table that is there already."""

    email = TextField()

    class Meta:
        table_name = "user"


class Session(Model):
    uid = TextField(unique=True)
    user = ForeignKeyField(User, on_delete="CASCADE", index=True)
    method = TextField(constraints=[one_of("method", ("PASSWORD", "LINK", "PROVIDER"))])
    address = TextField()
    user_agent = TextField()
    created_at = BigIntegerField()
    last_seen_at = BigIntegerField()
    expires_at = BigIntegerField(index=True)
    ended_at = BigIntegerField(null=True)
    end_reason = TextField(null=True)

    class Meta:
        table_name = "session"


class RefreshToken(Model):
    session = ForeignKeyField(Session, on_delete="CASCADE", index=True)
    hash = BlobField(unique=True)
    created_at = BigIntegerField()
    used_at = BigIntegerField(null=True)

    class Meta:
        table_name = "refresh_token"


class ApiKey(Model):
    uid = TextField(unique=True)
    user = ForeignKeyField(User, on_delete="CASCADE", index=True)
    name = TextField()
    prefix = TextField()
    hash = BlobField(unique=True)
    scopes = TextField()
    created_at = BigIntegerField()
    expires_at = BigIntegerField(null=True)
    last_used_at = BigIntegerField(null=True)
    revoked_at = BigIntegerField(null=True)

    class Meta:
        table_name = "api_key"


class Password(Model):
    user = ForeignKeyField(User, on_delete="CASCADE", primary_key=True)
    hash = TextField()
    changed_at = BigIntegerField()

    class Meta:
        table_name = "password"


class SignInLink(Model):
    user = ForeignKeyField(User, on_delete="CASCADE", index=True)
    hash = BlobField(unique=True)
    created_at = BigIntegerField()
    expires_at = BigIntegerField(index=True)
    used_at = BigIntegerField(null=True)

    class Meta:
        table_name = "sign_in_link"


class ExternalAccount(Model):
    issuer = TextField()
    subject = TextField()
    user = ForeignKeyField(User, on_delete="CASCADE", index=True)
    created_at = BigIntegerField()

    class Meta:
        table_name = "external_account"
        primary_key = CompositeKey("issuer", "subject")
        without_rowid = True


class RevokedToken(Model):
    token_id = TextField(primary_key=True)
    expires_at = BigIntegerField(index=True)
    revoked_at = BigIntegerField()

    class Meta:
        table_name = "revoked_token"
        without_rowid = True


class AccessChange(Model):
    kind = TextField(constraints=[one_of("kind", ("user", "session", "api_key", "token"))])
    ref = TextField()
    changed_at = BigIntegerField(index=True)

    class Meta:
        table_name = "access_change"


class Audit(Model):
    uid = TextField(unique=True)
    at = BigIntegerField()
    actor_id = TextField(null=True, index=True)
    credential = TextField()
    address = TextField()
    user_agent = TextField()
    correlation_id = TextField()
    action = TextField(index=True)
    target_kind = TextField()
    target_id = TextField(index=True)
    outcome = TextField(constraints=[one_of("outcome", ("done", "refused"))])
    reason = TextField()
    before = TextField(null=True)
    after = TextField(null=True)
    hash = TextField()

    class Meta:
        table_name = "audit"


class Erasure(Model):
    user = ForeignKeyField(User, on_delete="CASCADE", primary_key=True)
    position = BigIntegerField()
    requested_at = BigIntegerField()

    class Meta:
        table_name = "erasure"


MODELS = (
    Session,
    RefreshToken,
    ApiKey,
    Password,
    SignInLink,
    ExternalAccount,
    RevokedToken,
    AccessChange,
    Audit,
    Erasure,
)


def up(migrator: Any, db: Database) -> None:
    with db.bind_ctx((User, *MODELS)):
        db.create_tables(MODELS)
    db.execute_sql('ALTER TABLE "user" ADD COLUMN "deleted_at" INTEGER')
    db.execute_sql("""UPDATE "user" SET "deleted_at" = "updated_at"
        WHERE "status" = 'DEACTIVATED' AND "email" = '' AND "name" = 'Deleted user' AND "claims" = ''""")
    # Addresses are compared without regard to case; from now on they are stored in small letters.
    db.execute_sql('UPDATE "user" SET "email" = lower("email") WHERE "email" <> lower("email")')


def down(migrator: Any, db: Database) -> None:
    db.execute_sql('ALTER TABLE "user" DROP COLUMN "deleted_at"')
    with db.bind_ctx((User, *MODELS)):
        db.drop_tables(MODELS)
