"""What `xp db check` holds true of proposals. That the bodies they refer to are counted, a rule of artifacts says."""

from storage.maintenance.rule import Rule

RULES: tuple[Rule, ...] = (
    Rule(
        "open proposals have their base",
        "Proposal {proposal} is {status}, and its base is {base}.",
        """
        SELECT p.uid AS proposal, p.status AS status, coalesce(p.base_body_id, 'none') AS base
          FROM artifact_proposal AS p WHERE (p.status = 'open') <> (p.base_body_id IS NOT NULL)""",
    ),
    Rule(
        "every entry has its proposal",
        "Thread {thread}: entry {offset} ({type}) is about proposal {ref}, which is not there.",
        """
        SELECT t.uid AS thread, e."offset" AS "offset", e.type AS type, coalesce(e.ref, 'none') AS ref
          FROM event AS e JOIN thread AS t ON t.id = e.thread_id
          LEFT JOIN artifact_proposal AS p ON p.id = e.ref
          LEFT JOIN artifact AS a ON a.id = p.artifact_id AND a.thread_id = e.thread_id
         WHERE a.id IS NULL AND e.type GLOB 'proposal.*' AND $whole""",
    ),
)
