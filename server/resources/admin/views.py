"""Administration on the wire."""

from typing import Any, Literal

from pydantic import Field

from actors import limits
from actors.resources.audit import AuditOutcome
from actors.resources.members import MemberRole
from actors.resources.threads import ThreadStatus
from server.api.fields import Id, Metadata, Paged, Request, Time, View
from server.resources.auth.views import ApiKeyView, SessionView
from server.resources.files.views import FileView
from server.resources.messages.views import MessageView
from server.resources.users.views import UserView
from server.telemetry.log_level import Level


class AuditEntryView(View):
    id: Id
    at: Time
    actor_id: Id | None
    actor_name: str
    credential: str
    address: str
    user_agent: str
    correlation_id: str
    action: str
    target_kind: str
    target_id: str
    outcome: AuditOutcome
    reason: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    about_id: Id | None
    origin_salt: str | None = Field(description="Hexadecimal; null if the user was erased.")
    origin_seal: str
    change_salt: str | None = Field(description="Hexadecimal; null if the user was erased.")
    change_seal: str
    hash: str


class ListAuditRequest(Paged):
    actor_id: Id | None = Field(default=None, description="Only actions of this user.")
    target_id: str | None = Field(default=None, max_length=200, description="Only actions on the object with this id.")
    action: str | None = Field(default=None, max_length=100)


class OccurrenceView(View):
    at: Time
    correlation_id: str = Field(description="Of its lines in the log; empty if it was no request.")


class ErrorGroupView(View):
    fingerprint: str
    kind: str = Field(description="Class of the exception. Its message is never kept.")
    logger: str
    frames: list[str] = Field(description="Places in the code, the innermost last.")
    count: int
    first_at: Time
    last: list[OccurrenceView] = Field(
        max_length=limits.ERROR_OCCURRENCES, description="The last occurrences, the newest last."
    )


class ErrorsView(View):
    total: int = Field(description="Since the server was started.")
    groups: list[ErrorGroupView] = Field(max_length=limits.ERROR_GROUPS)


class LogLevelView(View):
    level: str
    until: Time | None = Field(description="Null: as the setting LOG_LEVEL says.")


class SetLogLevelRequest(Request):
    level: Level | None = Field(description="Null: as the setting LOG_LEVEL says.")
    seconds: int = Field(default=600, ge=1, le=4 * 3600, description="After them it is as before.")


class ConnectionView(View):
    id: Id
    user_id: Id | None
    user_name: str | None
    transport: Literal["websocket", "http_stream", "sse"]
    address: str
    user_agent: str
    credential: str | None
    channels: list[str]
    connected_at: Time


class ListConnectionsRequest(Paged):
    user_id: Id | None = None


class ListSessionsRequest(Paged):
    user_id: Id | None = None


class SignInLinkRequest(Request):
    id: Id


class SignInLinkView(View):
    user_id: Id
    link: str = Field(description="Valid once: send it as `link` to POST /api/v1/auth/login.")
    expires_at: Time


class RevokeTokenRequest(Request):
    jti: str = Field(min_length=1, max_length=255, description="The `jti` of the other issuer's token.")
    expires_in: int = Field(
        default=30 * 24 * 3600,
        ge=1,
        le=10 * 366 * 24 * 3600,
        description="Seconds until the revocation expires; no shorter than the token's lifetime.",
    )


class RevokedView(View):
    revoked: Literal[True]


class SummaryView(View):
    version: str
    users: int
    admins: int
    threads: int
    messages: int
    sessions: int
    api_keys: int
    audit_entries: int
    connections: int
    live_threads: int
    users_online: int
    warnings: list[str] = Field(description="Settings that weaken security, the same as in `xp doctor`.")
    features: dict[str, bool]


class UserTraceView(View):
    user: UserView
    may_sign_in: bool
    reasons: list[str] = Field(description="Why the user may not sign in; empty if they may.")
    sessions: list[SessionView]
    api_keys: list[ApiKeyView]
    connections: list[ConnectionView]
    threads: int
    refusals: list[dict[str, Any]] = Field(description="Recent refusals, newest first.")


class ThreadTraceRequest(Request):
    id: Id
    user_id: Id | None = Field(default=None, description="Explain whether this user has access.")


class SubscriberView(View):
    connection_id: Id
    user_id: Id
    transport: Literal["websocket", "http_stream", "sse"]


class AccessView(View):
    user_id: Id
    role: MemberRole | None
    may_see: bool
    may_write: bool
    because: str


class ThreadTraceView(View):
    id: Id
    status: ThreadStatus
    offset: int
    message_count: int
    is_live: bool = Field(description="Whether the thread's actor is in memory.")
    subscribers: list[SubscriberView]
    access: AccessView | None


class ExplainAccessRequest(Request):
    id: Id
    operation: str = Field(min_length=1, max_length=100, description="Its name, as in the list of operations.")
    parameters: Metadata = "{}"
    """Of path, query and body in one object. Required ones of the body that are left out are made up."""
    api_key_id: Id | None = Field(default=None, description="With this key of the user; null: signed in.")


class ExplanationView(View):
    user_id: Id
    operation: str
    allowed: bool
    decided_by: Literal["account", "rate_limit", "scope", "parameters", "operation", "thread", "journal"] = Field(
        description="Who refused it; of what is allowed, who was asked last."
    )
    code: str | None = Field(description="Of the error that the user would get.")
    status: int | None = Field(description="HTTP status of that error.")
    errors: dict[str, list[str]] = Field(description="Field → what is wrong with it.")
    because: str = Field(description="The sentence that the user would get, or why it is allowed.")
    passed: list[str] = Field(description="What was asked before and had no objection.")
    facts: list[str] = Field(description="Of the user and the thread, also those that the user may not know.")
    assumed: list[str] = Field(description="Fields of the body that were made up.")


class MembershipExportView(View):
    thread_id: Id
    title: str
    role: MemberRole
    joined_at: Time


class ExportNextView(View):
    """URLs of the next pages; null where this answer has all."""

    memberships: str | None
    sessions: str | None


class ExportView(View):
    user: UserView
    memberships: list[MembershipExportView] = Field(description="The first 100; `next` has the URL of more.")
    sessions: list[SessionView] = Field(description="The newest 100; `next` has the URL of more.")
    api_keys: list[ApiKeyView]
    next: ExportNextView
    messages: str = Field(description="URL of the messages, page by page.")
    files: str = Field(description="URL of the files, page by page.")
    artifacts: str = Field(description="URL of the artifacts, page by page.")
    proposals: str = Field(description="URL of the proposals to change artifacts, page by page.")
    comments: str = Field(description="URL of the comments on artifacts, page by page.")
    actions: str = Field(description="URL of the actions on blocks and answers to forms, page by page.")


class ExportedFileView(FileView):
    download: str | None = Field(
        description="Signed path of the content; null where there is none, or the user may no longer read it."
    )


class ExportRequest(Request):
    id: Id


class ExportPageRequest(Paged):
    id: Id


ExportedMessageView = MessageView
