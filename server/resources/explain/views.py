"""Why a user has access or not, on the wire."""

from typing import Any, Literal

from pydantic import Field

from actors.resources.members import MemberRole
from actors.resources.threads import ThreadStatus
from server.api.fields import Id, Metadata, Request, View
from server.resources.auth.views import ApiKeyView, SessionView
from server.resources.connections.views import ConnectionView
from server.resources.users.views import UserView


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
