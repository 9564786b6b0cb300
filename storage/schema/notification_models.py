"""The schema of what belongs to one user: their log, notifications, preferences, and what waits for delivery outside.
See `storage/schema/models.py` for the rest."""

from typing import Any

from peewee import SQL, BigIntegerField, BooleanField, CompositeKey, ForeignKeyField, IntegerField, TextField

from actors import limits
from actors.resources import notifications
from storage.schema.comment_models import Comment
from storage.schema.models import Base, Message, Thread, User, one_of
from storage.schema.schedule_models import Schedule


class UserLog(Base):
    """Where the log of a user stands; made with its first entry."""

    user = ForeignKeyField(User, on_delete="CASCADE", primary_key=True)
    offset = IntegerField()
    first = IntegerField(default=1)  # the oldest entry that is kept; one more than `offset` where none is

    class Meta:
        table_name = "user_log"


def is_long(log: Any) -> Any:
    """Whether a log has more entries than are kept; in the words of its index, or the index is not used."""
    return SQL(f'("offset" - "first" >= {limits.USER_EVENTS})')


UserLog.add_index(UserLog.user, name="user_log_long", where=is_long(UserLog))  # those of which some entries go


class UserEvent(Base):
    """The log of one user: what happened to them, not what happens in their threads."""

    user = ForeignKeyField(User, on_delete="CASCADE", index=False)
    offset = IntegerField()
    type = TextField()  # a name of `event_kinds.USER_KINDS`
    time = BigIntegerField(index=True)  # what is a month old goes
    data = TextField()  # JSON: public ids, and facts that no resource holds

    class Meta:
        table_name = "user_event"
        primary_key = CompositeKey("user", "offset")
        without_rowid = True


class Notification(Base):
    """A notification of a user. It is deleted with its subject."""

    uid = TextField(unique=True)  # notifications by public id
    user = ForeignKeyField(User, on_delete="CASCADE", index=False)
    kind = TextField(constraints=[one_of("kind", notifications.NOTIFICATION_KINDS)])
    thread = ForeignKeyField(Thread, on_delete="CASCADE", index=True, null=True)  # they go with their thread
    message = ForeignKeyField(Message, on_delete="CASCADE", index=False, null=True)
    actor = ForeignKeyField(User, index=False)
    created_at = BigIntegerField(index=True)  # what is a season old goes
    read_at = BigIntegerField(null=True)
    comment = ForeignKeyField(Comment, on_delete="CASCADE", index=False, null=True)
    schedule = ForeignKeyField(Schedule, on_delete="CASCADE", null=True, unique=True)  # a reminder notifies once

    class Meta:
        table_name = "notification"
        indexes = (
            (("user", "id"), False),  # one's feed, the newest first
            (("message", "user"), True),  # one message notifies one person once; they go with their message
            (("comment", "user"), True),  # the same of comments
        )


Notification.add_index(  # unread ones of a user: in total, and in a thread
    Notification.user, Notification.thread, name="notification_unread", where=Notification.read_at.is_null()
)


class Preference(Base):
    """Created with the first preference that the user sets."""

    user = ForeignKeyField(User, on_delete="CASCADE", primary_key=True)
    notify = TextField(default="all", constraints=[one_of("notify", notifications.NOTIFY)])
    deliver = TextField(default="[]")  # JSON list
    quiet_from = IntegerField(null=True)  # minutes since midnight
    quiet_to = IntegerField(null=True)
    time_zone = TextField(default="UTC")
    show_read = BooleanField(default=True)
    version = IntegerField(default=1)

    class Meta:
        table_name = "preference"


class Outbox(Base):
    """The outbox: deliveries to other systems, written with their cause and taken by the senders."""

    user = ForeignKeyField(User, on_delete="CASCADE", index=True)  # they go with their user
    kind = TextField(constraints=[one_of("kind", notifications.DELIVERY_KINDS)])
    notification = ForeignKeyField(Notification, on_delete="CASCADE", index=True)  # they go with their notification
    not_before = BigIntegerField()
    attempts = IntegerField(default=0)
    state = TextField(default="pending", constraints=[one_of("state", notifications.DELIVERY_STATES)])
    created_at = BigIntegerField(index=True)  # what is a week old goes
    reached = TextField(default="[]")  # JSON: keys of the devices that have got it
    error = TextField(null=True)  # why it was given up, or is tried again

    class Meta:
        table_name = "outbox"


Outbox.add_index(  # what is due
    Outbox.not_before, name="outbox_due", where=Outbox.state == "pending"
)


class UserActivity(Base):
    """The last activity of users, as far as servers have saved it."""

    user = ForeignKeyField(User, on_delete="CASCADE", primary_key=True)
    active_at = BigIntegerField()

    class Meta:
        table_name = "user_activity"


MODELS: tuple[type[Base], ...] = (UserLog, UserEvent, Notification, Preference, Outbox, UserActivity)
"""Every table of this module, parents first."""
