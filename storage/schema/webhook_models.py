"""The schema of webhooks and their deliveries. See `storage/schema/models.py` for the rest."""

from peewee import BigIntegerField, BooleanField, CompositeKey, ForeignKeyField, IntegerField, TextField

from actors.resources import webhooks
from storage.schema.models import Base, Thread, User, one_of


class Webhook(Base):
    """Its secrets are stored as they are: both sides of an HMAC need the same."""

    uid = TextField(unique=True)  # webhooks by public id
    user = ForeignKeyField(User, on_delete="CASCADE", index=True)  # one's own webhooks
    api_key = TextField(null=True)  # uid of the key that made it: it ends with it
    name = TextField()
    url = TextField()
    events = TextField()  # JSON list of types
    names_threads = BooleanField()  # only events of its rows of webhook_thread, of which there may be none left
    ordered = BooleanField()
    secret = TextField()
    previous_secret = TextField(null=True)
    previous_until = BigIntegerField(null=True)
    status = TextField(default="ACTIVE", constraints=[one_of("status", webhooks.WEBHOOK_STATUSES)])
    disabled_by = TextField(null=True, constraints=[one_of("disabled_by", webhooks.DISABLED_BY)])
    position = BigIntegerField()  # cursor in the log of threads: what is after it has no delivery yet
    own_offset = IntegerField()  # the same in the log of the user
    failures = IntegerField(default=0)  # in a row
    failing_since = BigIntegerField(null=True)
    resumes_at = BigIntegerField(default=0)  # until then nothing is sent
    version = IntegerField(default=1)
    created_at = BigIntegerField()
    updated_at = BigIntegerField()

    class Meta:
        table_name = "webhook"


class WebhookThread(Base):
    webhook = ForeignKeyField(Webhook, on_delete="CASCADE", index=False)
    thread = ForeignKeyField(Thread, on_delete="CASCADE", index=True)  # they go with their thread

    class Meta:
        table_name = "webhook_thread"
        primary_key = CompositeKey("webhook", "thread")
        without_rowid = True


class WebhookDelivery(Base):
    """An event that is, or was, to be sent; the event itself is in its log."""

    uid = TextField(unique=True)  # deliveries by public id
    webhook = ForeignKeyField(Webhook, on_delete="CASCADE", index=False)
    type = TextField()
    thread = ForeignKeyField(Thread, on_delete="CASCADE", index=True, null=True)  # null: the owner's own log, or a test
    position = BigIntegerField(null=True)  # in the log of threads; in that of the owner where there is no thread
    state = TextField(default="pending", constraints=[one_of("state", webhooks.DELIVERY_STATES)])
    attempts = IntegerField(default=0)
    not_before = BigIntegerField()
    log = TextField(default="[]")  # JSON: the last attempts
    created_at = BigIntegerField()
    queued_at = BigIntegerField()  # when it was created, or replayed: its age counts from here
    finished_at = BigIntegerField(null=True, index=True)  # what is a month old goes

    class Meta:
        table_name = "webhook_delivery"
        indexes = (
            (("webhook", "id"), False),  # deliveries of a webhook, the newest first
            (("webhook", "state", "id"), False),  # those of one state
        )


WebhookDelivery.add_index(  # what is due
    WebhookDelivery.webhook,
    WebhookDelivery.not_before,
    name="webhook_delivery_due",
    where=WebhookDelivery.state == "pending",
)
WebhookDelivery.add_index(  # what waits in one thread
    WebhookDelivery.webhook,
    WebhookDelivery.thread,
    WebhookDelivery.id,
    name="webhook_delivery_in_order",
    where=WebhookDelivery.state == "pending",
)

MODELS: tuple[type[Base], ...] = (Webhook, WebhookThread, WebhookDelivery)
"""Every table of this module, parents first."""
