"""What stays of acknowledgements when a user is deleted, and what must hold of those that are kept."""

from storage.maintenance.rule import Rule
from storage.personal import Personal
from storage.resources.acknowledgements.records import A, R

PERSONAL = (
    Personal(A.user, kept="it counts on another's message", withheld="it is on another's message"),
    Personal(R.author, kept="it stands on a message", withheld="it is shown on the message"),
)
RULES = (
    Rule(
        "deleted messages ask for nothing",
        "Message {message} is deleted, but it asks to be acknowledged.",
        """
        SELECT m.uid AS message FROM acknowledgement_request AS r JOIN message AS m ON m.id = r.message_id
         WHERE m.deleted_at IS NOT NULL""",
    ),
    Rule(
        "every acknowledgement in the log",
        "Message {message} was acknowledged by {users} users, and the log has {entries} entries of it.",
        """
        SELECT m.uid AS message, count(a.acknowledged_at) AS users,
               (SELECT count(*) FROM event AS e
                 WHERE e.thread_id = m.thread_id AND e.type = 'message.acknowledged' AND e.ref = m.id) AS entries
          FROM acknowledgement AS a JOIN message AS m ON m.id = a.message_id JOIN thread AS t ON t.id = m.thread_id
         WHERE $whole GROUP BY m.id HAVING users <> entries""",
    ),
)
