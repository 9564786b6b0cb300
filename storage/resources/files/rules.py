"""What `xp db check` holds true of files in the full-text search."""

from storage.maintenance.rule import Rule

RULES: tuple[Rule, ...] = (
    Rule(
        "where files joined their threads",
        "File {file} is found at position {position}, where it has not joined its thread.",
        """
        SELECT f.uid AS file, coalesce(f.position, 'none') AS position
          FROM file AS f LEFT JOIN thread AS t ON t.id = f.thread_id
          LEFT JOIN event AS e ON e.position = f.position AND e.thread_id = f.thread_id
               AND e.ref = f.id AND e.type IN ('file.created', 'file.attached')
         WHERE f.deleted_at IS NULL AND t.deleted_at IS NULL
           AND ((f.thread_id IS NULL) <> (f.position IS NULL) OR (f.position IS NOT NULL AND e.position IS NULL))""",
    ),
    Rule(
        "every file of a thread in the search index",
        "File {file} is not in the search index.",
        """
        SELECT f.uid AS file FROM file AS f
         WHERE f.deleted_at IS NULL AND f.position <= (SELECT indexed FROM search_progress)
           AND f.position NOT IN (SELECT rowid FROM search WHERE search MATCH 'tags : "kf"')""",
    ),
    Rule(
        "no other file in the search index",
        "The search index has something of position {position}, where no file is to be found.",
        """
        SELECT s.rowid AS position FROM (SELECT rowid FROM search WHERE search MATCH 'tags : "kf"') AS s
          LEFT JOIN file AS f ON f.position = s.rowid AND f.deleted_at IS NULL WHERE f.id IS NULL""",
    ),
)
