"""Records become JSON: the one place that decides how a resource looks to clients.

JSON that the server only carries (metadata, blocks) is passed through as it was stored.
"""

from dataclasses import asdict
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson

from actors.auth.identity import Identity
from actors.resources.files.file import File, FilePreview, FileVersion
from actors.resources.members import Member
from actors.resources.messages import Message, ReactionGroup, Revision
from actors.resources.notifications import Notification, Preferences, ThreadPreferences, Unread
from actors.resources.reactions import Reacted, Reaction
from actors.resources.threads import Thread
from actors.resources.users import Author, User
from actors.thread_parts import BY_RECORD

Json = dict[str, Any]


@lru_cache(
    maxsize=8192
)  # neighbours in a batch share their millisecond; a page of messages is rendered again and again
def iso_time(milliseconds: int) -> str:
    """ISO 8601 UTC with milliseconds: `2026-11-23T07:00:00.000Z`."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{_to_the_second(seconds)}.{rest:03d}Z"


@lru_cache(maxsize=1024)
def _to_the_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat()


def maybe_time(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else iso_time(milliseconds)


_EMPTY_OBJECT: Json = {}


def carried(text: str | None) -> Any:
    """JSON text that goes out as it came in."""
    if text == "{}":
        return _EMPTY_OBJECT
    return None if text is None else orjson.Fragment(text)


def author(record: Author) -> Json:
    return {"id": record.id, "name": record.name, "kind": record.kind, "avatar_url": record.avatar_url}


def actor(record: Author) -> Json:
    return {"id": record.id, "name": record.name, "kind": record.kind}


def user(record: User, viewer: Identity | None) -> Json:
    """The e-mail address, role and the rest are for oneself and for admins."""
    public = {
        "id": record.id,
        "name": record.name,
        "avatar_url": record.avatar_url,
        "kind": record.kind,
        "status": record.status,
    }
    if viewer is None or not (viewer.is_admin or viewer.user.key == record.key):
        return public
    return public | private(record)


def private(record: User) -> Json:
    """What of a user is for themselves and for admins."""
    return {
        "email": record.email,
        "role": record.role,
        "domain": record.domain,
        "metadata": carried(record.metadata),
        "created_at": iso_time(record.created_at),
        "updated_at": iso_time(record.updated_at),
    }


def member(record: Member) -> Json:
    return {
        "thread_id": record.thread_id,
        "user": author(record.user),
        "role": record.role,
        "last_read_offset": record.last_read_offset,
        "muted": record.muted,
        "joined_at": iso_time(record.joined_at),
    }


def reaction_group(record: ReactionGroup, *, personal: bool) -> Json:
    group: Json = {"emoji": record.emoji, "count": record.count, "users": [author(user) for user in record.users]}
    return group | {"reacted_by_me": record.reacted_by_me} if personal else group


def reaction(record: Reaction) -> Json:
    return {"emoji": record.emoji, "user": author(record.user), "created_at": iso_time(record.created_at)}


def message(record: Message, *, personal: bool = True) -> Json:
    """`personal` adds what differs from viewer to viewer; events, which all share, leave it out."""
    shown: Json = {
        "id": record.id,
        "thread_id": record.thread_id,
        "author": author(record.author),
        "type": record.type,
        "content": record.content,
        "blocks": carried(record.blocks),
        "files": [file(shown) for shown in record.files],
        "parent_id": record.parent_id,
        "metadata": carried(record.metadata),
        "status": record.status,
        "reactions": [reaction_group(group, personal=personal) for group in record.reactions],
        "offset": record.offset,
        "version": record.version,
        "created_at": iso_time(record.created_at),
        "edited_at": maybe_time(record.edited_at),
        "deleted_at": maybe_time(record.deleted_at),
    }
    if record.acknowledgement is not None:
        shown["acknowledgement"] = asdict(record.acknowledgement)
    return shown


def file(record: File) -> Json:
    newest = record.version
    return {
        "id": record.id,
        "owner": author(record.owner),
        "thread_id": record.thread_id,
        "name": record.name,
        "media_type": newest.media_type if newest else record.declared_type,
        "size": newest.size if newest else None,
        "sha256": newest.digest if newest else None,
        "version": newest.number if newest else 0,
        "status": record.status,
        "reason": record.reason,
        "metadata": carried(record.metadata),
        "details": carried(newest.details if newest else "{}"),
        "placeholder": newest.placeholder if newest else None,
        "previews": [_preview(record.id, newest.number, preview) for preview in newest.previews] if newest else [],
        "url": f"/api/v1/files/{record.id}/content" if newest else None,
        "revision": record.revision,
        "created_at": iso_time(record.created_at),
        "updated_at": iso_time(record.updated_at),
        "deleted_at": maybe_time(record.deleted_at),
    }


def _preview(file_id: str, number: int, record: FilePreview) -> Json:
    return {
        "name": record.name,
        "media_type": record.media_type,
        "size": record.size,
        "width": record.width,
        "height": record.height,
        "url": f"/api/v1/files/{file_id}/versions/{number}/preview?name={record.name}",
    }


def file_version(record: FileVersion, file_id: str) -> Json:
    return {
        "number": record.number,
        "size": record.size,
        "sha256": record.digest,
        "media_type": record.media_type,
        "author": author(record.author),
        "created_at": iso_time(record.created_at),
        "scan": record.scan,
        "details": carried(record.details),
        "placeholder": record.placeholder,
        "previews": [_preview(file_id, record.number, preview) for preview in record.previews],
        "url": f"/api/v1/files/{file_id}/versions/{record.number}/content",
    }


def revision(record: Revision) -> Json:
    return {
        "version": record.version,
        "content": record.content,
        "blocks": carried(record.blocks),
        "metadata": carried(record.metadata),
        "edited_by": author(record.edited_by),
        "replaced_at": iso_time(record.replaced_at),
    }


def thread(record: Thread, *, personal: bool = True) -> Json:
    rendered = {
        "id": record.id,
        "title": record.title,
        "creator": author(record.creator),
        "status": record.status,
        "control": record.control,
        "while_streaming": record.while_streaming,
        "metadata": carried(record.metadata),
        "message_count": record.message_count,
        "offset": record.offset,
        "last_message": message(record.last_message, personal=personal) if record.last_message else None,
        "version": record.version,
        "created_at": iso_time(record.created_at),
        "updated_at": iso_time(record.updated_at),
        "deleted_at": maybe_time(record.deleted_at),
    }
    if not personal:
        return rendered
    return rendered | _parts(record) | {"membership": _membership(record)}


def _parts(record: Thread) -> Json:
    return {
        field.name: carried(getattr(part, field.of)) if field.is_json else getattr(part, field.of)
        for part in record.parts
        for field in BY_RECORD[type(part)].fields
    }


def _membership(record: Thread) -> Json | None:
    mine = record.membership
    if mine is None:
        return None
    return {
        "role": mine.role,
        "last_read_offset": mine.last_read_offset,
        "unread_count": record.unread_count,
        "mention_count": record.mention_count,
        "muted": mine.muted,
    }


def reacted(record: Reacted) -> Json:
    return {"added": record.added, "message": message(record.message)}


# Of one user


def notification(record: Notification) -> Json:
    return {
        "id": record.id,
        "kind": record.kind,
        "thread_id": record.thread_id,
        "message_id": record.message_id,
        "artifact_id": record.artifact_id,
        "comment_id": record.comment_id,
        "schedule_id": record.schedule_id,
        "actor": author(record.actor),
        "excerpt": record.excerpt,
        "created_at": iso_time(record.created_at),
        "read_at": maybe_time(record.read_at),
    }


def preferences(record: Preferences) -> Json:
    quiet = None
    if record.quiet_from is not None and record.quiet_to is not None:
        quiet = {"start": clock_time(record.quiet_from), "end": clock_time(record.quiet_to)}
    return {
        "notify": record.notify,
        "deliver": list(record.deliver),
        "quiet_hours": quiet,
        "time_zone": record.time_zone,
        "show_read": record.show_read,
    }


def clock_time(minutes: int) -> str:
    """Minutes since midnight as `22:00`."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def thread_preferences(record: ThreadPreferences) -> Json:
    return {"thread_id": record.thread_id, "notify": record.notify, "muted": record.muted}


def unread(record: Unread) -> Json:
    return {
        "threads": record.threads,
        "messages": record.messages,
        "mentions": record.mentions,
        "muted": asdict(record.muted),
        "by_thread": [asdict(each) for each in record.by_thread],
    }
