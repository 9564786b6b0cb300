"""The retention rules as settings say them."""

from actors.resources.retention import RetentionRules
from cli.settings import Settings


def retention_rules(chosen: Settings) -> RetentionRules:
    return RetentionRules(
        delete_threads=chosen["thread_delete_days"],
        archive_threads=chosen["thread_archive_days"],
        message_revisions=chosen["revision_days"],
        audit_entries=chosen["audit_days"],
    )
