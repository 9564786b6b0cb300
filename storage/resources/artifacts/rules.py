"""What `xp db check` holds true of artifacts. That they take the room that is counted, the rule of files says."""

from storage.maintenance.rule import Rule

RULES: tuple[Rule, ...] = (
    Rule(
        "counted references to bodies",
        "Body {digest} of artifacts counts {counted} references, it has {found}.",
        """
        WITH n AS (
            SELECT body_id, count(*) AS found FROM (
                SELECT body_id FROM artifact_version
                UNION ALL SELECT base_body_id FROM artifact_proposal WHERE base_body_id IS NOT NULL
                UNION ALL SELECT base_body_id FROM artifact_comment WHERE base_body_id IS NOT NULL
            ) GROUP BY body_id
        )
        SELECT b.digest AS digest, b."references" AS counted, coalesce(n.found, 0) AS found
          FROM artifact_body AS b LEFT JOIN n ON n.body_id = b.id WHERE b."references" <> coalesce(n.found, 0)""",
    ),
    Rule(
        "the newest version of an artifact",
        "Artifact {artifact} names {named} as its newest version, it should be {newest}.",
        """
        WITH v AS (SELECT artifact_id, max(number) AS newest FROM artifact_version GROUP BY artifact_id)
        SELECT a.uid AS artifact, a.version AS named, coalesce(v.newest, 'none') AS newest
          FROM artifact AS a LEFT JOIN v ON v.artifact_id = a.id
         WHERE CASE WHEN a.deleted_at IS NULL THEN a.version IS NOT v.newest ELSE v.newest IS NOT NULL END""",
    ),
    Rule(
        "the history of an artifact",
        "Artifact {artifact} has made {made} versions, it has {kept} and has dropped {dropped}.",
        """
        SELECT a.uid AS artifact, a.version AS made, count(*) AS kept, a.dropped AS dropped
          FROM artifact AS a JOIN artifact_version AS v ON v.artifact_id = a.id
         GROUP BY a.id HAVING count(*) + a.dropped <> a.version""",
    ),
    Rule(
        "counted rows of data sets",
        "Data set {name} of artifact {artifact} counts {counted} rows and {size} bytes, it has {found} and {bytes}.",
        """
        WITH n AS (
            SELECT data_id, count(*) AS found, sum(length(CAST(cells AS BLOB))) AS bytes
              FROM artifact_data_row GROUP BY data_id
        )
        SELECT d.name AS name, a.uid AS artifact, d.next - d.first AS counted, d.size AS size,
               coalesce(n.found, 0) AS found, coalesce(n.bytes, 0) AS bytes
          FROM artifact_data AS d JOIN artifact AS a ON a.id = d.artifact_id LEFT JOIN n ON n.data_id = d.id
         WHERE d.next - d.first <> coalesce(n.found, 0) OR d.size <> coalesce(n.bytes, 0)""",
    ),
    Rule(
        "every entry has its artifact",
        "Thread {thread}: entry {offset} ({type}) is about artifact {ref}, which is not there.",
        """
        SELECT t.uid AS thread, e."offset" AS "offset", e.type AS type, coalesce(e.ref, 'none') AS ref
          FROM event AS e JOIN thread AS t ON t.id = e.thread_id
          LEFT JOIN artifact AS a ON a.id = e.ref AND a.thread_id = e.thread_id
         WHERE a.id IS NULL AND e.type GLOB 'artifact.*' AND NOT e.type GLOB 'artifact.stream*' AND $whole""",
    ),
    Rule(
        "every artifact in the search index",
        "Artifact {artifact} is not in the search index, or is there though it is deleted.",
        """
        SELECT a.uid AS artifact FROM artifact AS a LEFT JOIN artifact_text AS x ON x.rowid = a.id
         WHERE (a.deleted_at IS NULL) = (x.rowid IS NULL)""",
    ),
    Rule(
        "where artifacts are found",
        "Artifact {artifact} is found at position {position}, where it was not created.",
        """
        SELECT a.uid AS artifact, coalesce(a.position, 'none') AS position
          FROM artifact AS a LEFT JOIN thread AS t ON t.id = a.thread_id
          LEFT JOIN event AS e ON e.position = a.position AND e.thread_id = a.thread_id
               AND e.ref = a.id AND e.type = 'artifact.created'
         WHERE a.deleted_at IS NULL AND t.deleted_at IS NULL AND e.position IS NULL""",
    ),
    Rule(
        "every artifact among what a search finds",
        "Artifact {artifact} is not among what a search over messages finds.",
        """
        SELECT a.uid AS artifact FROM artifact AS a
         WHERE a.deleted_at IS NULL AND a.position <= (SELECT indexed FROM search_progress)
           AND a.position NOT IN (SELECT rowid FROM search WHERE search MATCH 'tags : "kr"')""",
    ),
    Rule(
        "no other artifact among what a search finds",
        "The search index has something of position {position}, where no artifact is to be found.",
        """
        SELECT s.rowid AS position FROM (SELECT rowid FROM search WHERE search MATCH 'tags : "kr"') AS s
          LEFT JOIN artifact AS a ON a.position = s.rowid AND a.deleted_at IS NULL WHERE a.id IS NULL""",
    ),
)
