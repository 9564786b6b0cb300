"""All data that the server holds about a user: for that user, and for administrators."""

from actors import rules
from actors.resources.audit import NoteForAudit
from server.api import render
from server.api.account_views import api_key_view, membership_view, session_view
from server.api.cursors import integer
from server.api.fields import ById
from server.api.registry import Call, Operations, Result
from server.resources.admin.views import ExportMessagesRequest, ExportView
from server.resources.messages.views import MessageView

operations = Operations("users")

SHOWN = 1_000


@operations("GET", "/users/{id}/export", response=ExportView, rate="audited")
async def export_user(call: Call, request: ById) -> Result:
    """All data about a user (yourself, or as an admin any user): account, threads, sessions, keys; messages by page."""
    _must_be_allowed(call, request.id)
    accounts = call.services.accounts
    user = await call.services.history.user(request.id)
    sessions = await accounts.sessions(user_id=user.id, limit=SHOWN, before=None)
    keys = await accounts.api_keys(user_id=user.id, limit=SHOWN, before=None)
    note = NoteForAudit(
        action="export_user", origin=call.origin, actor_id=call.identity.user.id,
        credential=call.identity.credential, target_kind="user", target_id=user.id,
    )  # fmt: skip
    await call.services.write(note)
    return Result(
        {
            "user": render.user(user, call.identity),
            "memberships": [membership_view(membership) for membership in await accounts.memberships(user.id)],
            "sessions": [session_view(session, call.identity) for session in sessions.items],
            "api_keys": [api_key_view(key) for key in keys.items],
            "messages": f"/api/v1/users/{user.id}/export/messages",
        }
    )


@operations("GET", "/users/{id}/export/messages", response=MessageView, paged=True, rate="costly")
async def export_messages(call: Call, request: ExportMessagesRequest) -> Result:
    """All messages of a user, oldest first, including threads they have left, with the reactions up to then.

    A page may be empty although there is a next one.
    """
    _must_be_allowed(call, request.id)
    page = await call.services.accounts.messages_by(
        request.id, limit=request.limit, after=integer(request.cursor)
    )  # fmt: skip
    shown = [render.message(message) for message in page.items]
    return Result(shown, next_cursor=page.next_cursor, limit=request.limit)


def _must_be_allowed(call: Call, user_id: str) -> None:
    if user_id != call.identity.user.id:
        rules.must_administer(call.identity)
