"""What goes of messages with their thread, and what stays of a user's when the user is deleted."""

from peewee import fn

from actors import limits
from actors.resources.messages import ListMessagesBy
from storage.journal.transaction import Transaction
from storage.personal import Personal
from storage.readers import rows
from storage.schema.models import Message, MessageRevision, Reaction
from storage.search import index


def purge_thread(tx: Transaction, thread_key: int, count: int) -> int:
    """Out of the search index too, word by word: where they are long, some of them count as `count`."""
    query = Message.select(Message.id, fn.LENGTH(Message.content) + fn.IFNULL(fn.LENGTH(Message.blocks), 0))
    keys, chars = [], 0
    for key, length in rows.fetch(tx.database, query.where(Message.thread == thread_key).limit(count)):
        keys.append(key)
        chars += length
        if chars > limits.INDEX_STEP_CHARS:
            break
    with index.rewriting(tx.database, keys):
        tx.execute(Message.delete().where(Message.id.in_(keys)))
    return count if chars > limits.INDEX_STEP_CHARS else len(keys)


THREAD_PURGES = (purge_thread,)
PERSONAL = (
    Personal(
        Message.author, export=ListMessagesBy,
        kept="it belongs to the conversation, by a nameless author; it goes where content is to be removed",
    ),
    Personal(MessageRevision.edited_by, kept="like its message", withheld="its message is shown as it is now"),
    Personal(Reaction.user, kept="it counts on another's message", withheld="it is on another's message"),
)  # fmt: skip
