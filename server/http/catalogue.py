"""The error catalogue for readers: each code, its meaning on the wire, and what to do about it."""

from collections.abc import Mapping
from dataclasses import dataclass

from actors.errors import CODES, XpError
from server.http.problems import slug, wire_codes

WHAT_TO_DO: Mapping[str, str] = {
    "invalid_request": "Correct the request as `detail` says; the same request will fail again.",
    "malformed": "Send JSON in UTF-8; `detail` says where parsing failed.",
    "validation_failed": "Correct the fields that `errors` lists.",
    "too_large": "Send less; the limit is in `detail`.",
    "unsupported_media_type": "Send `Content-Type: application/json`.",
    "range_not_satisfiable": "Ask for bytes within the size that `Content-Range` names.",
    "checksum_mismatch": "Send the same bytes again: they were damaged on the way, and nothing of them was kept.",
    "unsupported_protocol": "Speak the version that `Tus-Version` names.",
    "idempotency_key_reused": "Use a new key for a new request.",
    "unauthenticated": "Sign in, and send the token with the request.",
    "token_expired": "Refresh the token, or get a new one, then retry.",
    "unknown_key": "The token's `kid` is not among the issuer's keys; get a new token.",
    "forbidden": "Ask a user who has the permission.",
    "domain_not_allowed": "An operator must add the domain to `ALLOWED_DOMAINS`.",
    "origin_not_allowed": (
        "An operator must add the page's origin to `ALLOWED_ORIGINS`. This also applies to Bearer tokens: the browser "
        "sends a preflight request first."
    ),
    "not_a_writer": "An owner of the thread must make you MEMBER.",
    "scope_missing": "Use a key that has the scope, or sign in as a person.",
    "refresh_reused": "Sign in again: this refresh token was already used, so its session was ended.",
    "not_found": "Check the id: it does not exist, or you may not know that it exists.",
    "method_not_allowed": "Use a method that the header `Allow` lists.",
    "conflict": "Read the current state, then decide whether to retry.",
    "id_taken": "Omit the id, or generate a new one.",
    "email_taken": "Use the existing user with this address.",
    "already_member": "PATCH the member to change the role.",
    "last_owner": "Make another member OWNER first.",
    "last_admin": "Give another user the role ADMIN first.",
    "built_in_user": "The built-in user System cannot be changed.",
    "thread_closed": "An owner must set the thread to ACTIVE.",
    "legal_hold": "Deactivate the user instead, or delete them once the legal hold is removed.",
    "user_deleted": "A deleted user cannot be restored; create a new one.",
    "message_deleted": "A deleted message cannot be restored.",
    "message_streaming": "Wait for `message.completed`, or stop the message first.",
    "message_changed": "Read the message again: what it offers now may be something else.",
    "artifact_changed": "Read the artifact again: what it offers now may be something else.",
    "author_gone": "Nobody would answer: the author of the message or creator of the artifact has left the thread.",
    "form_expired": "Ask the author of the form for another one.",
    "already_answered": "Read the message: its first answer counts.",
    "actions_pending": "Wait for `action.updated`, or until the pending actions expire.",
    "action_ended": "The action was answered, or has expired; write a reply to the message instead.",
    "answer_streaming": "Wait for `message.completed`, or stop the message that is being streamed.",
    "human_in_control": "People are in control of the thread; wait for `control.changed`.",
    "not_streaming": "The message was completed or stopped; write a new one.",
    "stream_gap": "Continue after the text so far; `detail` says how long it is.",
    "offset_mismatch": "Continue at the offset that `Upload-Offset` names.",
    "signature_invalid": "Get a new signed URL, and use it unchanged.",
    "signature_expired": "Get a new signed URL.",
    "upload_busy": "Retry in a moment: the other request ends, or ended with its connection.",
    "quota_exceeded": "Delete files, or ask an administrator for more room.",
    "file_quarantined": "Do not use the file; ask an administrator if the scanner may be wrong.",
    "file_not_ready": "Wait for `file.updated`, or retry.",
    "file_failed": "Upload the file again.",
    "file_elsewhere": "Move the file into this thread, or upload it again.",
    "file_type_refused": "Send a type that is taken here; `detail` names it.",
    "archive_bomb": "Send the files unpacked, or in archives with less in them.",
    "wrong_length": "Begin another upload, with the length that the file has.",
    "no_bytes": "PUT the bytes to the upload's `url`, then complete it.",
    "blob_going": "Retry in a moment.",
    "blob_store": "Retry; the upload is kept. An operator finds the cause in the log.",
    "precondition_required": "Read the resource, then send its ETag in `If-Match`; or send a patch.",
    "artifacts_full": "Delete artifacts of the thread that are no longer needed.",
    "data_full": "Append with `keep`, replace the data set by fewer rows, or delete data sets that no panel shows.",
    "editors_full": "Read the artifact by `GET`, and try again when others have left.",
    "collab_missing": "An administrator installs the extra `collab` on the server.",
    "text_streaming": "Wait for `artifact.stream_ended`, or stop the stream that writes it.",
    "streams_full": "Wait for the end of other streams into the artifact, or stop them.",
    "comments_full": "Delete comments that are settled, or go on in the thread.",
    "comment_deleted": "Read the comments again, or make another one.",
    "proposals_full": "Accept, reject or withdraw open proposals first.",
    "proposal_resolved": "Read the proposal: it says what became of it.",
    "proposal_conflict": "Read the proposal: accept the hunks whose `standing` is not `conflict`, or reject it.",
    "shares_full": "Revoke links to the artifact that are no longer needed.",
    "export_failed": "Correct what the sentence names, or choose another format.",
    "export_takes_long": "Ask for a job: `POST /artifacts/{id}/exports`, or `POST /threads/{id}/exports`.",
    "export_pending": "Wait for `export.progress`, or ask `GET /exports/{id}` again.",
    "extra_missing": "Ask the operator to install the extra that the sentence names, or choose another format.",
    "nothing_to_export": "Choose another format: the artifact has no part that this one shows.",
    "labels_full": "Leave the label out: labelled versions are kept, and only so many.",
    "stale_version": "Read the resource again, then update with its new ETag.",
    "unavailable": "Retry after `Retry-After` seconds.",
    "overloaded": "Retry after `Retry-After` seconds, with some jitter. Nothing was done.",
    "rate_limited": "Slow down; retry after `Retry-After` seconds.",
    "storage_unavailable": "Retry; nothing was written. Operators find the cause in `/health/ready`.",
    "storage_full": "Retry later. An operator must make space on the disk.",
    "shutting_down": "Reconnect, then retry; nothing was written.",
    "internal": "A defect of the server: report it with the `trace_id`. Retrying with an idempotency key is safe.",
}


@dataclass(frozen=True, slots=True)
class Entry:
    code: str
    slug: str
    """In the problem's `type`, and in the address of its page."""
    title: str
    status: int
    """HTTP."""
    error: int
    """Of the WebSocket protocol."""
    is_retryable: bool
    what_to_do: str


def _entry(code: str, kind: type[XpError]) -> Entry:
    wire = wire_codes(kind.__new__(kind))
    return Entry(code, slug(code), kind.title, wire.status, wire.error, kind.retryable, WHAT_TO_DO.get(code, ""))


ENTRIES: tuple[Entry, ...] = tuple(_entry(code, kind) for code, kind in CODES.items())
BY_SLUG: Mapping[str, Entry] = {entry.slug: entry for entry in ENTRIES}
