"""The schema of identities, credentials and the audit log. See `storage/schema/models.py` for the rest.

Secrets are never stored: passwords as argon2id; refresh tokens, API keys and sign-in links, which have 256 random bits
of their own, as SHA-256.
"""

from peewee import SQL, BigIntegerField, BlobField, CompositeKey, ForeignKeyField, TextField

from actors.auth.access_changes import CHANGE_KINDS
from actors.resources.audit import OUTCOMES
from actors.resources.sessions import METHODS
from storage.schema.models import Base, User, one_of


class Session(Base):
    uid = TextField(unique=True)  # the session that an access token speaks for
    user = ForeignKeyField(User, on_delete="CASCADE", index=True)  # one's own sessions
    method = TextField(constraints=[one_of("method", METHODS)])
    address = TextField()
    user_agent = TextField()
    created_at = BigIntegerField()
    last_seen_at = BigIntegerField()
    expires_at = BigIntegerField(index=True)  # what has expired goes
    ended_at = BigIntegerField(null=True)
    end_reason = TextField(null=True)

    class Meta:
        table_name = "session"


class RefreshToken(Base):
    """Each is good once. Those of one session are a family."""

    session = ForeignKeyField(Session, on_delete="CASCADE", index=True)  # they go with their session
    hash = BlobField(unique=True)  # the token that a client brings
    created_at = BigIntegerField()
    used_at = BigIntegerField(null=True)

    class Meta:
        table_name = "refresh_token"


class ApiKey(Base):
    uid = TextField(unique=True)  # keys by public id
    user = ForeignKeyField(User, on_delete="CASCADE", index=True)  # one's own keys
    name = TextField()
    prefix = TextField()
    hash = BlobField(unique=True)  # the key that a client brings
    scopes = TextField()  # JSON list
    created_at = BigIntegerField()
    expires_at = BigIntegerField(null=True)
    last_used_at = BigIntegerField(null=True)
    revoked_at = BigIntegerField(null=True)

    class Meta:
        table_name = "api_key"


class Password(Base):
    user = ForeignKeyField(User, on_delete="CASCADE", primary_key=True)
    hash = TextField()
    changed_at = BigIntegerField()

    class Meta:
        table_name = "password"


class SignInLink(Base):
    user = ForeignKeyField(User, on_delete="CASCADE", index=True)  # they go with their user
    hash = BlobField(unique=True)  # the link that a client brings
    created_at = BigIntegerField()
    expires_at = BigIntegerField(index=True)  # what has expired goes
    used_at = BigIntegerField(null=True)

    class Meta:
        table_name = "sign_in_link"


class ExternalAccount(Base):
    """Who a user is to an identity provider, or to an issuer of tokens beside the one of `user.subject`."""

    issuer = TextField()
    subject = TextField()
    user = ForeignKeyField(User, on_delete="CASCADE", index=True)  # they go with their user
    claims = TextField(default="")  # as of a user: JSON of the claims that tokens of this issuer made last
    created_at = BigIntegerField()

    class Meta:
        table_name = "external_account"
        primary_key = CompositeKey("issuer", "subject")
        without_rowid = True


class RevokedToken(Base):
    """A token that others have issued, and that is taken no more."""

    token_id = TextField(primary_key=True)
    expires_at = BigIntegerField(index=True)  # what has expired goes
    revoked_at = BigIntegerField()

    class Meta:
        table_name = "revoked_token"
        without_rowid = True


class AccessChange(Base):
    """What every process must know about at once: it follows this table and forgets what it had verified before."""

    kind = TextField(constraints=[one_of("kind", CHANGE_KINDS)])
    ref = TextField()  # public id of the user, session or key; id of the token
    changed_at = BigIntegerField(index=True)  # after a day every process has seen it

    class Meta:
        table_name = "access_change"


class Audit(Base):
    """Who did what to what. Each entry's hash covers the one before, so that tampering shows; of what identifies a
    person it covers seals, whose salts go with the person. Its beginning may be removed by a rule. See
    `storage/resources/audit/chain.py` and `removal.py`."""

    uid = TextField(unique=True)
    at = BigIntegerField()
    actor_id = TextField(null=True, index=True)  # what a user did; no constraint: entries outlive the user
    credential = TextField()
    address = TextField()
    user_agent = TextField()
    correlation_id = TextField()
    action = TextField(index=True)  # all of one kind
    target_kind = TextField()
    target_id = TextField(index=True)  # what was done to something
    outcome = TextField(constraints=[one_of("outcome", OUTCOMES)])
    reason = TextField()
    before = TextField(null=True)  # JSON
    after = TextField(null=True)  # JSON
    hash = TextField()
    about_id = TextField(null=True, index=True)  # the user it describes; erased with that user
    origin_salt = BlobField(null=True)  # null: erased
    origin_seal = TextField(constraints=[SQL("DEFAULT ''")])
    change_salt = BlobField(null=True)  # null: erased
    change_seal = TextField(constraints=[SQL("DEFAULT ''")])
    former_hash = TextField(null=True)  # of an entry that was written before there were seals

    class Meta:
        table_name = "audit"


ERASURE_STAGES = ("messages", "files", "private_files", "texts")
"""What is removed now. Before its end all that they wrote, then all files that others do not name; or, where their
messages stay, only files that nobody else sees."""


class Erasure(Base):
    """A user whose messages and files are being taken away, and how far that has come."""

    user = ForeignKeyField(User, on_delete="CASCADE", primary_key=True)
    position = BigIntegerField(default=0)  # key of the newest message looked at
    requested_at = BigIntegerField()
    stage = TextField(default="messages", constraints=[one_of("stage", ERASURE_STAGES)])

    class Meta:
        table_name = "erasure"


MODELS: tuple[type[Base], ...] = (
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
"""Every table of this module, parents first."""
