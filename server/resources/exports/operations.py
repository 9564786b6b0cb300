"""All data that the server holds about a user: for that user, and for administrators."""

from actors import limits, permissions
from actors.resources.actions import ListActionsBy
from actors.resources.api_keys import ListApiKeys
from actors.resources.artifacts.queries import ListArtifactsBy
from actors.resources.audit import NoteForAudit
from actors.resources.comments.comment import ListCommentsBy
from actors.resources.files.queries import ListFilesOf, OwnedFile
from actors.resources.members import ListMemberships
from actors.resources.messages import ListMessagesBy
from actors.resources.proposals.proposal import ListProposalsBy
from actors.resources.sessions import ListSessions
from actors.resources.users import GetUser
from server.api import render
from server.api.account_views import api_key_view, membership_view, session_view
from server.api.cursors import integer
from server.api.fields import ById
from server.api.registry import Call, Operations, Result
from server.resources.actions.views import OwnActionView, own_action_view
from server.resources.artifacts import rendering
from server.resources.artifacts.views import ArtifactView
from server.resources.auth.views import SessionView
from server.resources.comments import rendering as comment_rendering
from server.resources.comments.views import CommentView
from server.resources.exports.views import ExportedFileView, ExportPageRequest, ExportView, MembershipExportView
from server.resources.messages.views import MessageView
from server.resources.proposals import rendering as proposal_rendering
from server.resources.proposals.views import FullProposalView

operations = Operations("users")


@operations("GET", "/users/{id}/export", response=ExportView, rate="audited")
async def export_user(call: Call, request: ById) -> Result:
    """All data about a user (yourself, or as an admin any user): account, keys; the rest by page."""
    _must_be_allowed(call, request.id)
    ask = call.services.ask
    user = await ask(GetUser(request.id))
    memberships = await ask(ListMemberships(user.id, limit=limits.EXPORT_ENTRIES, after=None))
    sessions = await ask(ListSessions(user_id=user.id, limit=limits.EXPORT_ENTRIES, before=None))
    keys = await ask(ListApiKeys(user_id=user.id, limit=limits.API_KEYS_PER_USER, before=None))
    note = NoteForAudit(
        action="export_user", origin=call.origin, actor_id=call.identity.user.id,
        credential=call.identity.credential, target_kind="user", target_id=user.id,
    )  # fmt: skip
    await call.services.write(note)
    return Result(
        {
            "user": render.user(user, call.identity),
            "memberships": [membership_view(membership) for membership in memberships.items],
            "sessions": [session_view(session, call.identity) for session in sessions.items],
            "api_keys": [api_key_view(key) for key in keys.items],
            "next": {
                "memberships": _next(user.id, "memberships", memberships.next_cursor),
                "sessions": _next(user.id, "sessions", sessions.next_cursor),
            },
            "messages": f"/api/v1/users/{user.id}/export/messages",
            "files": f"/api/v1/users/{user.id}/export/files",
            "artifacts": f"/api/v1/users/{user.id}/export/artifacts",
            "proposals": f"/api/v1/users/{user.id}/export/proposals",
            "comments": f"/api/v1/users/{user.id}/export/comments",
            "actions": f"/api/v1/users/{user.id}/export/actions",
        }
    )


def _next(user_id: str, what: str, cursor: str | None) -> str | None:
    return (
        None
        if cursor is None
        else f"/api/v1/users/{user_id}/export/{what}?cursor={cursor}&limit={limits.EXPORT_ENTRIES}"
    )


@operations("GET", "/users/{id}/export/memberships", response=MembershipExportView, paged=True, rate="costly")
async def export_memberships(call: Call, request: ExportPageRequest) -> Result:
    """All threads that a user is a member of, oldest thread first."""
    _must_be_allowed(call, request.id)
    page = await call.services.ask(ListMemberships(request.id, limit=request.limit, after=integer(request.cursor)))
    shown = [membership_view(membership) for membership in page.items]
    return Result(shown, next_cursor=page.next_cursor, limit=request.limit)


@operations("GET", "/users/{id}/export/sessions", response=SessionView, paged=True, rate="costly")
async def export_sessions(call: Call, request: ExportPageRequest) -> Result:
    """All active sessions of a user, newest first."""
    _must_be_allowed(call, request.id)
    user = await call.services.ask(GetUser(request.id))
    page = await call.services.ask(
        ListSessions(user_id=user.id, limit=request.limit, before=integer(request.cursor))
    )  # fmt: skip
    shown = [session_view(session, call.identity) for session in page.items]
    return Result(shown, next_cursor=page.next_cursor, limit=request.limit)


@operations("GET", "/users/{id}/export/messages", response=MessageView, paged=True, rate="costly")
async def export_messages(call: Call, request: ExportPageRequest) -> Result:
    """All messages of a user, oldest first, including threads they have left, with the reactions up to then.

    A page may be empty although there is a next one.
    """
    _must_be_allowed(call, request.id)
    page = await call.services.ask(ListMessagesBy(request.id, limit=request.limit, after=integer(request.cursor)))
    shown = [render.message(message) for message in page.items]
    return Result(shown, next_cursor=page.next_cursor, limit=request.limit)


@operations("GET", "/users/{id}/export/files", response=ExportedFileView, paged=True, rate="costly")
async def export_files(call: Call, request: ExportPageRequest) -> Result:
    """All files of a user, oldest first, with a signed URL of each, good for a day.

    Also files in threads they have left; these have no URL for them.
    """
    _must_be_allowed(call, request.id)
    page = await call.services.ask(ListFilesOf(request.id, limit=request.limit, after=integer(request.cursor)))
    shown = [render.file(owned.file) | {"download": _download(call, owned)} for owned in page.items]
    return Result(shown, next_cursor=page.next_cursor, limit=request.limit)


def _download(call: Call, owned: OwnedFile) -> str | None:
    """With the rights of the caller, as they are when the URL is used."""
    if owned.file.status != "ready" or not (owned.is_seen or call.identity.is_admin):
        return None
    path = f"/api/v1/files/{owned.file.id}/content"
    until = int(call.services.clock()) + limits.SIGNED_URL_SECONDS_MAX
    return call.services.files.url_keys.keys.sign("GET", path, call.identity.user.id, until, call.identity.api_key_id)


@operations("GET", "/users/{id}/export/artifacts", response=ArtifactView, paged=True, rate="costly")
async def export_artifacts(call: Call, request: ExportPageRequest) -> Result:
    """All artifacts that a user has created, oldest first, including threads they have left."""
    _must_be_allowed(call, request.id)
    page = await call.services.ask(ListArtifactsBy(request.id, limit=request.limit, after=integer(request.cursor)))
    shown = [rendering.artifact(artifact) for artifact in page.items]
    return Result(shown, next_cursor=page.next_cursor, limit=request.limit)


@operations("GET", "/users/{id}/export/proposals", response=FullProposalView, paged=True, rate="costly")
async def export_proposals(call: Call, request: ExportPageRequest) -> Result:
    """All proposals that a user has made to change artifacts, oldest first, including threads they have left."""
    _must_be_allowed(call, request.id)
    page = await call.services.ask(ListProposalsBy(request.id, limit=request.limit, after=integer(request.cursor)))
    shown = [proposal_rendering.full(proposal) for proposal in page.items]
    return Result(shown, next_cursor=page.next_cursor, limit=request.limit)


@operations("GET", "/users/{id}/export/comments", response=CommentView, paged=True, rate="costly")
async def export_comments(call: Call, request: ExportPageRequest) -> Result:
    """All comments that a user has written on artifacts, oldest first, including threads they have left."""
    _must_be_allowed(call, request.id)
    page = await call.services.ask(ListCommentsBy(request.id, limit=request.limit, after=integer(request.cursor)))
    shown = [comment_rendering.comment(comment) for comment in page.items]
    return Result(shown, next_cursor=page.next_cursor, limit=request.limit)


@operations("GET", "/users/{id}/export/actions", response=OwnActionView, paged=True, rate="costly")
async def export_actions(call: Call, request: ExportPageRequest) -> Result:
    """All that a user has done with blocks of messages, answers to forms included, oldest first."""
    _must_be_allowed(call, request.id)
    page = await call.services.ask(ListActionsBy(request.id, limit=request.limit, after=integer(request.cursor)))
    shown = [own_action_view(action) for action in page.items]
    return Result(shown, next_cursor=page.next_cursor, limit=request.limit)


def _must_be_allowed(call: Call, user_id: str) -> None:
    if user_id != call.identity.user.id:
        permissions.must_administer(call.identity)
