"""What must hold in every database, as SQL that finds where it does not. Whole tables at a time: no query in a loop.

A deleted thread keeps its rows for an hour, then they are taken in small steps: messages, then log entries, then the
thread (`storage/journal/housekeeping.py`). So what must be complete is asked of threads that are *whole*: not deleted,
or not long enough ago. `:cutoff` is the moment before which a deleted one may have been taken.
"""

from storage import declared
from storage.maintenance.rule import Rule

_COMMON = (
    Rule(
        "one head",
        "The log has {heads} heads instead of one.",
        "SELECT count(*) AS heads FROM log_head HAVING count(*) <> 1",
    ),
    Rule(
        "positions up to the head",
        "Entry {position} of the log is beyond its head, {head}.",
        """
        SELECT e.position, h.position AS head FROM log_head AS h JOIN event AS e
         WHERE e.position > h.position OR e.position < 1""",
    ),
    Rule(
        # Whole threads miss nothing (see below), so a gap belongs to threads that were taken; and their entries are all
        # older than an hour. After the newest of such age there can be no gap.
        "positions without a gap",
        "The log has no entries {first} to {last}, and no deleted thread explains it.",
        """
        WITH aged AS (
            SELECT coalesce((SELECT position FROM event WHERE time < :cutoff ORDER BY position DESC LIMIT 1), 0) AS last
        ), recent AS (
            SELECT position,
                   lead(position, 1, (SELECT max(position) + 1 FROM log_head)) OVER (ORDER BY position) AS next
              FROM event WHERE position > (SELECT last FROM aged)
        )
        SELECT position + 1 AS first, next - 1 AS last FROM recent WHERE next > position + 1""",
    ),
    Rule(
        "offsets without a gap",
        "Thread {thread}: its log should be offsets 1 to {head}, it has {entries} entries from {low} to {high}.",
        """
        WITH log AS (
            SELECT thread_id, count(*) AS entries, min("offset") AS low, max("offset") AS high
              FROM event GROUP BY thread_id
        )
        SELECT t.uid AS thread, t."offset" AS head, coalesce(entries, 0) AS entries, coalesce(low, 0) AS low,
               coalesce(high, 0) AS high
          FROM thread AS t LEFT JOIN log ON log.thread_id = t.id
         WHERE high > t."offset"
            OR ($whole AND NOT (entries IS t."offset" AND low IS 1 AND high IS t."offset"))""",
    ),
    Rule(
        "positions in the order of offsets",
        "Thread {thread}: entry {offset} has position {position}, the one before it {before}.",
        """
        WITH log AS (
            SELECT thread_id, "offset", position,
                   lag(position) OVER (PARTITION BY thread_id ORDER BY "offset") AS before
              FROM event
        )
        SELECT t.uid AS thread, log."offset" AS "offset", log.position AS position, before
          FROM log JOIN thread AS t ON t.id = log.thread_id WHERE before > log.position""",
    ),
    Rule(
        "types of entries",
        # A newer release, from which this one was rolled back to, may have written types of its own.
        "Entry {position} of the log is of type {type}, which is no name of a type.",
        "SELECT position, type FROM event WHERE type NOT IN ($types) AND type NOT GLOB '[a-z]*.[a-z]*'",
    ),
    Rule(
        "a thread's position",
        "Thread {thread} stands at position {stands}, its newest entry at {position}.",
        """
        SELECT t.uid AS thread, t.position AS stands, e.position AS position
          FROM thread AS t JOIN event AS e ON e.thread_id = t.id AND e."offset" = t."offset"
         WHERE e.position <> t.position""",
    ),
    Rule(
        "counted messages",
        "Thread {thread} counts {counted} messages, it has {messages}.",
        """
        WITH m AS (SELECT thread_id, count(*) AS messages FROM message GROUP BY thread_id)
        SELECT t.uid AS thread, t.message_count AS counted, coalesce(messages, 0) AS messages
          FROM thread AS t LEFT JOIN m ON m.thread_id = t.id
         WHERE $whole AND t.message_count <> coalesce(messages, 0)""",
    ),
    Rule(
        "numbers without a gap",
        "Thread {thread}: message {message} has the number {number}, by its place it should be {place}.",
        """
        WITH n AS (
            SELECT id, number, row_number() OVER (PARTITION BY thread_id ORDER BY "offset") AS place FROM message
        )
        SELECT t.uid AS thread, m.uid AS message, n.number AS number, place
          FROM n JOIN message AS m ON m.id = n.id JOIN thread AS t ON t.id = m.thread_id
         WHERE n.number <> place AND $whole""",
    ),
    Rule(
        "the last message",
        "Thread {thread} has {named} as its last message, it should be {newest}.",
        """
        WITH m AS (SELECT thread_id, max(id) AS newest FROM message GROUP BY thread_id)
        SELECT t.uid AS thread, coalesce(t.last_message, 'none') AS named, coalesce(newest, 'none') AS newest
          FROM thread AS t LEFT JOIN m ON m.thread_id = t.id
         WHERE $whole AND t.last_message IS NOT newest""",
    ),
    Rule(
        "every message in the log",
        "Message {message} has no entry message.created at its position {position} and offset {offset}.",
        """
        SELECT m.uid AS message, m.id AS position, m."offset" AS "offset"
          FROM message AS m LEFT JOIN event AS e ON e.position = m.id
         WHERE NOT (e.type IS 'message.created' AND e.thread_id IS m.thread_id AND e."offset" IS m."offset"
                    AND e.ref IS m.id)""",
    ),
    Rule(
        "every entry has its message",
        "Thread {thread}: entry {offset} ({type}) is about message {ref}, which is not there.",
        """
        SELECT t.uid AS thread, e."offset" AS "offset", e.type AS type, coalesce(e.ref, 'none') AS ref
          FROM event AS e JOIN thread AS t ON t.id = e.thread_id
          LEFT JOIN message AS m ON m.id = e.ref AND m.thread_id = e.thread_id
         WHERE m.id IS NULL AND (e.type GLOB 'message.*' OR e.type GLOB 'reaction.*') AND $whole""",
    ),
    Rule(
        "every entry has its user",
        "Thread {thread}: entry {offset} ({type}) is about user {ref}, who is not there.",
        """
        SELECT t.uid AS thread, e."offset" AS "offset", e.type AS type, coalesce(e.ref, 'none') AS ref
          FROM event AS e JOIN thread AS t ON t.id = e.thread_id LEFT JOIN user AS u ON u.id = e.ref
         WHERE u.id IS NULL AND (e.type GLOB 'member.*' OR e.type GLOB 'read.*')""",
    ),
    Rule(
        "answers stay in their thread",
        "Message {message} answers message {parent}, which its thread does not have.",
        """
        SELECT m.uid AS message, m.parent AS parent
          FROM message AS m JOIN thread AS t ON t.id = m.thread_id LEFT JOIN message AS p ON p.id = m.parent
         WHERE m.parent IS NOT NULL AND p.thread_id IS NOT m.thread_id AND $whole""",
    ),
    Rule(
        "markers up to the head",
        "Thread {thread}: {user} has read up to offset {offset} and message {number}, beyond {head} and {messages}.",
        """
        SELECT t.uid AS thread, u.uid AS user, r.last_read_offset AS "offset", r.last_read_number AS number,
               t."offset" AS head, t.message_count AS messages
          FROM member AS r JOIN thread AS t ON t.id = r.thread_id JOIN user AS u ON u.id = r.user_id
         WHERE r.last_read_offset > t."offset" OR r.last_read_number > t.message_count""",
    ),
    Rule(
        # Without an active member there is no one to hand ownership to.
        "an owner",
        "Thread {thread} has no owner.",
        """
        WITH standing AS (
            SELECT r.thread_id, max(r.role = 'OWNER') AS is_owned, max(u.subject <> char(1) || 'system') AS has_heirs
              FROM member AS r JOIN user AS u ON u.id = r.user_id WHERE u.status = 'ACTIVE' GROUP BY r.thread_id
        )
        SELECT t.uid AS thread FROM thread AS t LEFT JOIN standing AS s ON s.thread_id = t.id
         WHERE t.deleted_at IS NULL AND NOT coalesce(s.is_owned, 0)
           AND (coalesce(s.has_heirs, 0)
                OR NOT EXISTS (SELECT 1 FROM member AS r WHERE r.thread_id = t.id)
                   AND NOT EXISTS (SELECT 1 FROM event AS e JOIN user AS u ON u.id = e.ref
                                    WHERE e.thread_id = t.id AND e.type = 'member.removed'
                                      AND u.status = 'DEACTIVATED'))""",
    ),
    Rule(
        "a built-in user",
        "The built-in user System is {status} with the role {role}.",
        "SELECT status, role FROM user WHERE subject = char(1) || 'system' AND (status, role) <> ('ACTIVE', 'ADMIN')",
    ),
    Rule(
        "empty tombstones",
        "Message {message} is deleted, but its content is still there.",
        """
        SELECT uid AS message FROM message
         WHERE deleted_at IS NOT NULL AND NOT (content = '' AND blocks IS NULL AND metadata = '{}')""",
    ),
    Rule(
        "no history of deleted messages",
        "Message {message} is deleted, but what it said before its edits is still there.",
        """
        SELECT DISTINCT m.uid AS message FROM message_revision AS r CROSS JOIN message AS m ON m.id = r.message_id
         WHERE m.deleted_at IS NOT NULL""",
    ),
    Rule(
        "older versions are older",
        "Message {message} has version {version}, and version {kept} in its history.",
        """
        SELECT m.uid AS message, m.version AS version, r.version AS kept
          FROM message_revision AS r CROSS JOIN message AS m ON m.id = r.message_id WHERE r.version >= m.version""",
    ),
    Rule(
        "reactions to what is there",
        "Message {message} is deleted or gone, but it has a reaction {emoji}.",
        """
        SELECT coalesce(m.uid, r.message_id) AS message, r.emoji AS emoji
          FROM reaction AS r LEFT JOIN message AS m ON m.id = r.message_id
         WHERE m.id IS NULL OR m.deleted_at IS NOT NULL""",
    ),
    Rule(
        "every reaction in the log",
        "Message {message}: its reaction {emoji} has no entry reaction.added at position {position}.",
        """
        SELECT coalesce(m.uid, r.message_id) AS message, r.emoji AS emoji, r.position AS position
          FROM reaction AS r LEFT JOIN event AS e ON e.position = r.position
          LEFT JOIN message AS m ON m.id = r.message_id
         WHERE NOT (e.type IS 'reaction.added' AND e.ref IS r.message_id)""",
    ),
    Rule(
        "one search index",
        "The search index is made up to {indexed}, the log's head is {head}.",
        """
        SELECT coalesce(max(i.indexed), 'no position') AS indexed, coalesce(max(h.position), 'none') AS head
          FROM search_progress AS i, log_head AS h HAVING count(*) <> 1 OR max(i.indexed) > max(h.position)""",
    ),
    Rule(
        "every message in the search index",
        "Message {message} is not in the search index.",
        """
        SELECT m.uid AS message FROM message AS m
         WHERE m.deleted_at IS NULL AND m.status <> 'STREAMING' AND m.id <= (SELECT indexed FROM search_progress)
           AND m.id NOT IN (SELECT rowid FROM search WHERE search MATCH 'tags : "km"')""",
    ),
    Rule(
        "every title in the search index",
        "The title of thread {thread} is not in the search index.",
        """
        SELECT t.uid AS thread FROM thread AS t JOIN event AS e ON e.thread_id = t.id AND e."offset" = 1
         WHERE t.deleted_at IS NULL AND e.position <= (SELECT indexed FROM search_progress)
           AND e.position NOT IN (SELECT rowid FROM search WHERE search MATCH 'tags : "kt"')""",
    ),
    Rule(
        "nothing else in the search index",
        "The search index has something of position {position}, where nothing is to be found.",
        """
        SELECT s.rowid AS position
          FROM (SELECT rowid FROM search WHERE search MATCH 'tags : ("km" OR "kt")') AS s
          LEFT JOIN message AS m ON m.id = s.rowid AND m.deleted_at IS NULL AND m.status <> 'STREAMING'
          LEFT JOIN event AS e ON e.position = s.rowid AND e.type = 'thread.created'
          LEFT JOIN thread AS t ON t.id = e.thread_id AND t.deleted_at IS NULL
         WHERE m.id IS NULL AND t.id IS NULL""",
    ),
    Rule(
        "counted references to blobs",
        "Blob {digest} counts {counted} references, it has {found}.",
        """
        WITH named AS (
            SELECT blob_id FROM file_version UNION ALL SELECT blob_id FROM file_preview
        ), n AS (SELECT blob_id, count(*) AS found FROM named GROUP BY blob_id)
        SELECT b.digest AS digest, b."references" AS counted, coalesce(n.found, 0) AS found
          FROM blob AS b LEFT JOIN n ON n.blob_id = b.id
         WHERE b."references" <> coalesce(n.found, 0)
            OR (b."references" = 0) <> (b.unreferenced_at IS NOT NULL) OR (b.state = 'going' AND b."references" > 0)""",
    ),
    Rule(
        "the newest version of a file",
        "File {file} names {named} as its newest version, it should be {newest}.",
        """
        WITH v AS (SELECT file_id, max(number) AS newest FROM file_version GROUP BY file_id)
        SELECT f.uid AS file, f.version AS named, coalesce(v.newest, 0) AS newest
          FROM file AS f LEFT JOIN v ON v.file_id = f.id WHERE f.version <> coalesce(v.newest, 0)""",
    ),
    Rule(
        "the room that files take",
        "Files and artifacts take {counted} bytes of {scope} {key}, they should take {found}.",
        """
        WITH each AS (
            SELECT f.owner_id AS owner, f.thread_id AS thread, v.size AS size
              FROM file_version AS v JOIN file AS f ON f.id = v.file_id
             UNION ALL
            SELECT f.owner_id, f.thread_id, u.reserved FROM upload AS u JOIN file AS f ON f.id = u.file_id
             UNION ALL
            SELECT a.creator_id, a.thread_id, v.size
              FROM artifact_version AS v JOIN artifact AS a ON a.id = v.artifact_id
             UNION ALL
            SELECT a.creator_id, a.thread_id, d.size FROM artifact_data AS d JOIN artifact AS a ON a.id = d.artifact_id
        ), real AS (
            SELECT 'user' AS scope, owner AS key, sum(size) AS found FROM each GROUP BY owner
             UNION ALL
            SELECT 'thread', thread, sum(size) FROM each WHERE thread IS NOT NULL GROUP BY thread
             UNION ALL
            SELECT 'server', 0, coalesce(sum(size), 0) FROM each
        )
        SELECT s.scope AS scope, s.key AS key, s.size AS counted, coalesce(r.found, 0) AS found
          FROM storage_use AS s LEFT JOIN real AS r ON r.scope = s.scope AND r.key = s.key
         WHERE s.size <> coalesce(r.found, 0)""",
    ),
)
"""The rules, in the order in which they are asked."""
RULES: tuple[Rule, ...] = (*_COMMON, *declared.each("RULES"))
"""With those of the resources."""
