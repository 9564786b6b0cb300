"""Webhooks, the threads that they name, and their deliveries."""

from typing import Any

from peewee import BigIntegerField, BooleanField, Check, CompositeKey, Database, ForeignKeyField, IntegerField, Model
from peewee import TextField as Text


def one_of(column: str, *values: str) -> Any:
    return Check(f"{column} IN ({', '.join(repr(value) for value in values)})")


class User(Model):
    """What is referred to here of tables that are there already."""

    class Meta:
        table_name = "user"


class Thread(Model):
    class Meta:
        table_name = "thread"


class Webhook(Model):
    uid = Text(unique=True)
    user = ForeignKeyField(User, on_delete="CASCADE", index=True)
    api_key = Text(null=True)
    name = Text()
    url = Text()
    events = Text()
    names_threads = BooleanField()
    ordered = BooleanField()
    secret = Text()
    previous_secret = Text(null=True)
    previous_until = BigIntegerField(null=True)
    status = Text(constraints=[one_of("status", "ACTIVE", "DISABLED")])
    disabled_by = Text(null=True, constraints=[one_of("disabled_by", "request", "gone", "failing")])
    position = BigIntegerField()
    own_offset = IntegerField()
    failures = IntegerField()
    failing_since = BigIntegerField(null=True)
    resumes_at = BigIntegerField()
    version = IntegerField()
    created_at = BigIntegerField()
    updated_at = BigIntegerField()

    class Meta:
        table_name = "webhook"


class WebhookThread(Model):
    webhook = ForeignKeyField(Webhook, on_delete="CASCADE", index=False)
    thread = ForeignKeyField(Thread, on_delete="CASCADE", index=True)

    class Meta:
        table_name = "webhook_thread"
        primary_key = CompositeKey("webhook", "thread")
        without_rowid = True


class WebhookDelivery(Model):
    uid = Text(unique=True)
    webhook = ForeignKeyField(Webhook, on_delete="CASCADE", index=False)
    type = Text()
    thread = ForeignKeyField(Thread, on_delete="CASCADE", index=True, null=True)
    position = BigIntegerField(null=True)
    state = Text(constraints=[one_of("state", "pending", "delivered", "dead", "withdrawn")])
    attempts = IntegerField()
    not_before = BigIntegerField()
    log = Text()
    created_at = BigIntegerField()
    queued_at = BigIntegerField()
    finished_at = BigIntegerField(null=True, index=True)

    class Meta:
        table_name = "webhook_delivery"
        indexes = ((("webhook", "id"), False), (("webhook", "state", "id"), False))


WebhookDelivery.add_index(
    WebhookDelivery.webhook,
    WebhookDelivery.not_before,
    name="webhook_delivery_due",
    where=WebhookDelivery.state == "pending",
)
WebhookDelivery.add_index(
    WebhookDelivery.webhook,
    WebhookDelivery.thread,
    WebhookDelivery.id,  # type: ignore[attr-defined]  # made by Peewee
    name="webhook_delivery_in_order",
    where=WebhookDelivery.state == "pending",
)
MODELS = (Webhook, WebhookThread, WebhookDelivery)


def up(migrator: Any, db: Database) -> None:
    with db.bind_ctx((User, Thread, *MODELS)):
        db.create_tables(MODELS)


def down(migrator: Any, db: Database) -> None:
    """Receivers hear nothing more."""
    with db.bind_ctx((User, Thread, *MODELS)):
        db.drop_tables(reversed(MODELS))
