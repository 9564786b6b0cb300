"""What takes the space: kinds of data, and the largest threads."""

from pathlib import Path
from typing import Any, Final

from peewee import SqliteDatabase

from storage.maintenance.inspection import table_sizes

KINDS: Final = {
    "search": ("search", "file_text", "artifact_text"),
    "messages": ("message", "reaction", "acknowledgement", "action", "form_deadline"),
    "logs": ("event", "user_event", "user_log", "log_head"),
    "artifacts": ("artifact",),
    "files": ("file", "blob", "upload", "storage_use"),
    "audit": ("audit",),
    "notifications": ("notification", "outbox", "push_subscription", "mail_address", "preference"),
    "webhooks": ("webhook",),
}
"""Kind → how the names of its tables begin; the first that fits. What fits none is of users, threads and access."""
REST: Final = "users, threads, access"


def by_kind(database: SqliteDatabase) -> dict[str, int] | None:
    """Kind → bytes in the database with its indexes, the largest first; None where this SQLite cannot tell."""
    sizes = table_sizes(database)
    if sizes is None:
        return None
    found: dict[str, int] = {}
    for table, size in sizes.items():
        kind = next((kind for kind, begins in KINDS.items() if table.startswith(begins)), REST)
        found[kind] = found.get(kind, 0) + size
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def largest_threads(database: SqliteDatabase, count: int) -> list[dict[str, Any]]:
    """Bytes of what their messages say and of their files; also of threads that are deleted and not yet purged."""
    query = """
        WITH said AS (
            SELECT thread_id, sum(length(CAST(content AS BLOB)) + coalesce(length(CAST(blocks AS BLOB)), 0)
                                  + length(CAST(metadata AS BLOB))) AS bytes
              FROM message GROUP BY thread_id)
        SELECT t.uid, t.title, t.deleted_at IS NOT NULL, t.message_count, coalesce(said.bytes, 0), coalesce(u.size, 0)
          FROM thread AS t LEFT JOIN said ON said.thread_id = t.id
          LEFT JOIN storage_use AS u ON u.scope = 'thread' AND u.key = t.id
         ORDER BY coalesce(said.bytes, 0) + coalesce(u.size, 0) DESC, t.id LIMIT ?"""
    names = ("id", "title", "is_deleted", "messages", "message_bytes", "file_bytes")
    return [dict(zip(names, row, strict=True)) for row in database.execute_sql(query, (count,)).fetchall()]


def of_files(database: SqliteDatabase) -> int:
    """Bytes of all versions of all files, and of what uploads have reserved."""
    found = database.execute_sql("SELECT size FROM storage_use WHERE scope = 'server'").fetchone()
    return int(found[0]) if found else 0


def folder_size(folder: Path) -> int:
    """Bytes of all files in it; 0 where there is none. What goes while it looks is not counted."""
    found = 0
    for path in folder.rglob("*"):
        try:
            found += path.lstat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue
    return found
