"""What `xp db check` holds true of streams into artifacts."""

from storage.maintenance.rule import Rule

RULES: tuple[Rule, ...] = (
    Rule(
        "counted characters of streams",
        "Stream {stream} counts {counted} characters that no version has, it has {found}.",
        """
        WITH n AS (SELECT stream_id, sum(length(text)) AS found FROM artifact_piece GROUP BY stream_id)
        SELECT s.uid AS stream, s.length AS counted, coalesce(n.found, 0) AS found
          FROM artifact_stream AS s LEFT JOIN n ON n.stream_id = s.id
         WHERE coalesce(n.found, 0) <> CASE WHEN s.version IS NULL THEN s.length ELSE 0 END""",
    ),
    Rule(
        "every entry has its stream",
        "Thread {thread}: entry {offset} ({type}) is about stream {ref}, which is not there.",
        """
        SELECT t.uid AS thread, e."offset" AS "offset", e.type AS type, coalesce(e.ref, 'none') AS ref
          FROM event AS e JOIN thread AS t ON t.id = e.thread_id
          LEFT JOIN artifact_stream AS s ON s.id = e.ref
          LEFT JOIN artifact AS a ON a.id = s.artifact_id AND a.thread_id = e.thread_id
         WHERE a.id IS NULL AND e.type GLOB 'artifact.stream*' AND $whole""",
    ),
)
