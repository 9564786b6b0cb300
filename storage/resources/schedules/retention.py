"""What goes of schedules, and what must hold of those that are kept."""

from actors import limits
from storage.journal.transaction import Transaction
from storage.maintenance.rule import Rule
from storage.personal import Personal
from storage.readers import rows
from storage.schema.schedule_models import Schedule


def purge_ended(tx: Transaction, count: int) -> int:
    old = Schedule.ended_at < tx.now - limits.SCHEDULES_KEPT_SECONDS * 1000
    keys = [row[0] for row in rows.fetch(tx.database, Schedule.select(Schedule.id).where(old).limit(count))]
    tx.execute(Schedule.delete().where(Schedule.id.in_(keys)))
    return len(keys)


def purge_thread(tx: Transaction, thread_key: int, count: int) -> int:
    query = Schedule.select(Schedule.id).where(Schedule.thread == thread_key).limit(count)
    keys = [row[0] for row in rows.fetch(tx.database, query)]
    tx.execute(Schedule.delete().where(Schedule.id.in_(keys)))
    return len(keys)


PURGES = (purge_ended,)
THREAD_PURGES = (purge_thread,)
PERSONAL = (Personal(Schedule.user, withheld="their user reads them at any time; what was sent is a message"),)
RULES = (
    Rule(
        "schedules that have ended have an end",
        "Schedule {schedule} is {status}, and ended at {ended}.",
        """
        SELECT uid AS schedule, status, coalesce(ended_at, 'no time') AS ended FROM schedule
         WHERE (status IN ('pending', 'sending')) <> (ended_at IS NULL)""",
    ),
    Rule(
        "messages are scheduled in a thread",
        "Schedule {schedule} is a message without a thread or an id.",
        """
        SELECT uid AS schedule FROM schedule
         WHERE kind = 'message' AND (thread_id IS NULL OR message_id IS NULL)""",
    ),
    Rule(
        "a scheduled message that was sent is there",
        "Schedule {schedule} is sent, but its message {message} was never written.",
        """
        SELECT s.uid AS schedule, s.message_id AS message FROM schedule AS s
          LEFT JOIN message AS m ON m.uid = s.message_id AND m.thread_id = s.thread_id
         WHERE s.kind = 'message' AND s.status = 'sent' AND m.id IS NULL""",
    ),
)
