"""The error catalogue: every error that a client can receive.

    XpError                      base: code, sentence, retryable, data
    ├── Invalid                  the request itself is wrong; sending it again is no use
    │   ├── Malformed            not JSON, not UTF-8, not a frame
    │   ├── ValidationFailed     readable, but a field breaks a rule (field → sentences)
    │   ├── TooLarge             a body, frame or field over its limit
    │   ├── UnsupportedMedia     a body of another type than the operation expects
    │   ├── RangeNotSatisfiable  bytes are asked for that the content does not have
    │   ├── ChecksumMismatch     the bytes that came are not those that were announced
    │   ├── UnsupportedProtocol  a version of the upload protocol that is not spoken here
    │   └── KeyReused            an idempotency key that was used for another request
    ├── Unauthenticated          no identity, or an invalid one
    │   └── TokenExpired         a token that was valid before
    ├── Forbidden                the identity is known, but may not do it
    │   └── FileQuarantined      the scanner found something in the file
    ├── NotFound                 it does not exist, or the caller may not know that it exists
    ├── MethodNotAllowed         the path exists, the method does not
    ├── Conflict                 the state does not allow it
    │   ├── PreconditionFailed   `If-Match` names another version
    │   ├── PreconditionRequired `If-Match` is missing, where one writer would overwrite another
    │   └── QuotaExceeded        no room for the bytes of a file
    └── Unavailable              not now: retry
        ├── Overloaded           refused by admission control before anything was done
        ├── TooManyRequests      a rate limit
        ├── StorageUnavailable   disk full, database locked, connection lost
        ├── StorageFull          no space for uploads and exports
        ├── UploadBusy           another request is writing to the same upload
        ├── FileNotReady         the bytes of a file are not there, or were not scanned yet
        ├── ShuttingDown         the server is draining
        └── Internal             a defect of the server; its log entry has the correlation id

Only `server/` knows HTTP statuses and close codes: `server/http/problems.py` maps every class here.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar


class XpError(Exception):
    """Base of the catalogue. `code` is stable, for machines; the sentence says what was expected and what came."""

    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "Internal error"
    retryable: ClassVar[bool] = False

    def __init__(self, detail: str, *, code: str | None = None, **data: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.data = data
        if code is not None:
            self.code = code  # type: ignore[misc]  # a more exact code from CODES, on the instance

    @property
    def field_errors(self) -> Mapping[str, Sequence[str]]:
        """JSON path of a field → the sentences about it; empty where the error is not about fields."""
        return {}


class Invalid(XpError):
    code = "invalid_request"
    title = "Invalid request"


class Malformed(Invalid):
    code = "malformed"
    title = "Malformed request"


class ValidationFailed(Invalid):
    code = "validation_failed"
    title = "Validation Error"

    def __init__(self, errors: Mapping[str, Sequence[str]], detail: str | None = None) -> None:
        where = ", ".join(sorted(errors))
        super().__init__(detail or f"Invalid: {where}. `errors` says what each field expects.")
        self._errors = errors

    @property
    def field_errors(self) -> Mapping[str, Sequence[str]]:
        return self._errors


class TooLarge(Invalid):
    code = "too_large"
    title = "Request too large"

    def __init__(self, what: str, limit: int, actual: int | None, unit: str = "bytes") -> None:
        came = "got more" if actual is None else f"got {actual}"
        super().__init__(f"{what} may be at most {limit} {unit}; {came}.", limit=limit, actual=actual)


class UnsupportedMedia(Invalid):
    code = "unsupported_media_type"
    title = "Unsupported media type"


class RangeNotSatisfiable(Invalid):
    code = "range_not_satisfiable"
    title = "Range not satisfiable"

    def __init__(self, size: int) -> None:
        super().__init__(
            f"None of the ranges asked for lies within the content, which has {size} bytes.",
            headers={"Content-Range": f"bytes */{size}"},
        )


class ChecksumMismatch(Invalid):
    code = "checksum_mismatch"
    title = "Checksum mismatch"


class UnsupportedProtocol(Invalid):
    code = "unsupported_protocol"
    title = "Protocol version not supported"


class KeyReused(Invalid):
    code = "idempotency_key_reused"
    title = "Idempotency key already used"

    def __init__(self, key: str) -> None:
        super().__init__(
            f"Idempotency key {key!r} was used for a different request in the last 24 hours; "
            "use a new key for a new request."
        )


class Unauthenticated(XpError):
    code = "unauthenticated"
    title = "Not signed in"


class TokenExpired(Unauthenticated):
    code = "token_expired"
    title = "Token expired"


class Forbidden(XpError):
    code = "forbidden"
    title = "Not allowed"


class FileQuarantined(Forbidden):
    code = "file_quarantined"
    title = "The file is in quarantine"


class NotFound(XpError):
    code = "not_found"
    title = "Not found"

    def __init__(self, what: str, identifier: str = "") -> None:
        named = f" {identifier!r}" if identifier else ""
        super().__init__(f"There is no {what}{named} that you may see.")


class MethodNotAllowed(XpError):
    code = "method_not_allowed"
    title = "Method not allowed"


class Conflict(XpError):
    code = "conflict"
    title = "Conflict with the current state"


class PreconditionFailed(Conflict):
    code = "stale_version"
    title = "Changed since it was read"

    def __init__(self, expected: str, actual: str) -> None:
        super().__init__(
            f"If-Match names version {expected}, the current one is {actual}; read it again, then retry.",
            expected=expected,
            actual=actual,
        )


class PreconditionRequired(Conflict):
    code = "precondition_required"
    title = "Say which version you have seen"


class QuotaExceeded(Conflict):
    code = "quota_exceeded"
    title = "No room left"


class Unavailable(XpError):
    code = "unavailable"
    title = "Temporarily unavailable"
    retryable = True
    retry_after: int = 1
    """Seconds a client should wait before it tries again."""


class Overloaded(Unavailable):
    code = "overloaded"
    title = "Overloaded"


class TooManyRequests(Unavailable):
    code = "rate_limited"
    title = "Too many requests"

    def __init__(self, detail: str, *, retry_after: int = 1, **data: Any) -> None:
        super().__init__(detail, **data)
        self.retry_after = retry_after


class StorageUnavailable(Unavailable):
    code = "storage_unavailable"
    title = "Database unavailable"
    retry_after = 2


class StorageFull(Unavailable):
    code = "storage_full"
    title = "No space left"
    retry_after = 60


class UploadBusy(Unavailable):
    code = "upload_busy"
    title = "Another request writes to this upload"


class FileNotReady(Unavailable):
    code = "file_not_ready"
    title = "The file has no content yet"


class ShuttingDown(Unavailable):
    code = "shutting_down"
    title = "Shutting down"
    retry_after = 5


class Internal(Unavailable):
    code = "internal"
    title = "Internal error"

    def __init__(self) -> None:
        super().__init__("The server failed; nothing was acknowledged. Its log entry has this correlation id.")


CODES: Mapping[str, type[XpError]] = {
    **{
        error.code: error
        for error in (
            Invalid,
            Malformed,
            ValidationFailed,
            TooLarge,
            UnsupportedMedia,
            RangeNotSatisfiable,
            ChecksumMismatch,
            UnsupportedProtocol,
            KeyReused,
            Unauthenticated,
            TokenExpired,
            Forbidden,
            NotFound,
            MethodNotAllowed,
            Conflict,
            PreconditionFailed,
            PreconditionRequired,
            UploadBusy,
            FileNotReady,
            FileQuarantined,
            QuotaExceeded,
            Unavailable,
            Overloaded,
            TooManyRequests,
            StorageUnavailable,
            StorageFull,
            ShuttingDown,
            Internal,
        )
    },
    "unknown_key": Unauthenticated,
    "domain_not_allowed": Forbidden,
    "origin_not_allowed": Forbidden,
    "not_a_writer": Forbidden,
    "scope_missing": Forbidden,
    "refresh_reused": Unauthenticated,
    "id_taken": Conflict,
    "email_taken": Conflict,
    "user_deleted": Conflict,
    "legal_hold": Conflict,
    "already_member": Conflict,
    "last_owner": Conflict,
    "last_admin": Conflict,
    "built_in_user": Conflict,
    "thread_closed": Conflict,
    "message_deleted": Conflict,
    "message_streaming": Conflict,
    "message_changed": Conflict,
    "artifact_changed": Conflict,
    "author_gone": Conflict,
    "form_expired": Conflict,
    "already_answered": Conflict,
    "actions_pending": Conflict,
    "action_ended": Conflict,
    "not_streaming": Conflict,
    "answer_streaming": Conflict,
    "human_in_control": Conflict,
    "stream_gap": Conflict,
    "artifacts_full": Conflict,
    "shares_full": Conflict,
    "proposals_full": Conflict,
    "comments_full": Conflict,
    "text_streaming": Conflict,
    "streams_full": Conflict,
    "comment_deleted": Conflict,
    "editors_full": Conflict,
    "collab_missing": Unavailable,
    "proposal_resolved": Conflict,
    "proposal_conflict": Conflict,
    "data_full": Conflict,
    "nothing_to_export": Conflict,
    "export_failed": Conflict,
    "export_takes_long": Conflict,
    "export_pending": Conflict,
    "extra_missing": Conflict,
    "labels_full": Conflict,
    "file_elsewhere": Conflict,
    "file_failed": Conflict,
    "wrong_length": Conflict,
    "no_bytes": Conflict,
    "file_type_refused": UnsupportedMedia,
    "archive_bomb": UnsupportedMedia,
    "blob_going": Unavailable,
    "blob_store": Unavailable,
    "offset_mismatch": Conflict,
    "signature_invalid": Forbidden,
    "signature_expired": Forbidden,
}
"""Every code a client can meet → its class. The documentation's error pages and a test are generated from this."""
