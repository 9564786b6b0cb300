"""The schema of subscriptions to Web Push. See `storage/schema/models.py` for the rest."""

from peewee import BigIntegerField, BlobField, ForeignKeyField, TextField

from storage.schema.models import Base, User


class PushSubscription(Base):
    """A browser of a user. Its keys only encrypt what goes to it."""

    uid = TextField(unique=True)  # subscriptions by public id
    user = ForeignKeyField(User, on_delete="CASCADE", index=True)  # one's own browsers
    session = TextField(null=True)  # uid of the session that made it: it ends with it
    api_key = TextField(null=True)  # uid of the API key that made it, the same
    name = TextField()
    endpoint = TextField(unique=True)  # a browser that subscribes again
    p256dh = BlobField()
    auth = BlobField()
    created_at = BigIntegerField()
    sent_at = BigIntegerField(null=True)
    failing_since = BigIntegerField(null=True)

    class Meta:
        table_name = "push_subscription"


MODELS: tuple[type[Base], ...] = (PushSubscription,)
"""Every table of this module."""
