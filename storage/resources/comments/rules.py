"""What `xp db check` holds true of comments. That the bodies they refer to are counted, a rule of artifacts says."""

from storage.maintenance.rule import Rule

RULES: tuple[Rule, ...] = (
    Rule(
        "anchored comments have their base",
        "Comment {comment}: its anchor is {anchor}, and its base is {base}.",
        """
        SELECT c.uid AS comment, coalesce(c.anchor, 'none') AS anchor, coalesce(c.base_body_id, 'none') AS base
          FROM artifact_comment AS c
         WHERE (c.anchor IS NULL) <> (c.base_body_id IS NULL)
            OR (c.anchor IS NOT NULL AND (c.deleted_at IS NOT NULL OR c.parent_id IS NOT NULL))""",
    ),
    Rule(
        "replies are to a comment on the same artifact",
        "Comment {comment} replies to {parent}, which is a reply itself, or on another artifact.",
        """
        SELECT c.uid AS comment, p.uid AS parent
          FROM artifact_comment AS c JOIN artifact_comment AS p ON p.id = c.parent_id
         WHERE p.parent_id IS NOT NULL OR p.artifact_id <> c.artifact_id""",
    ),
    Rule(
        "every entry has its comment",
        "Thread {thread}: entry {offset} ({type}) is about comment {ref}, which is not there.",
        """
        SELECT t.uid AS thread, e."offset" AS "offset", e.type AS type, coalesce(e.ref, 'none') AS ref
          FROM event AS e JOIN thread AS t ON t.id = e.thread_id
          LEFT JOIN artifact_comment AS c ON c.id = e.ref
          LEFT JOIN artifact AS a ON a.id = c.artifact_id AND a.thread_id = e.thread_id
         WHERE a.id IS NULL AND e.type GLOB 'comment.*' AND $whole""",
    ),
)
