"""Members of a thread. Owners add and remove them; every member may leave."""

from actors.resources.members import AddMember, GetMember, ListMembers, Member, RemoveMember, UpdateMember
from actors.resources.users import FindUserByEmail
from server.api import render
from server.api.common_views import DeletedView
from server.api.cursors import integer
from server.api.fields import given
from server.api.registry import Call, Operations, Result
from server.resources.mail.letters import look_at_letters, must_send_mail
from server.resources.threads.views import (
    AddMemberRequest,
    ListMembersRequest,
    MemberRequest,
    MemberView,
    UpdateMemberRequest,
)

operations = Operations("members")


@operations("GET", "/threads/{thread_id}/members", response=MemberView, paged=True)
async def list_members(call: Call, request: ListMembersRequest) -> Result:
    """Members of a thread, oldest account first."""
    page = await call.services.ask(
        ListMembers(call.identity, request.thread_id, limit=request.limit, after=integer(request.cursor))
    )
    shown = [render.member(member) for member in page.items]
    return Result(shown, next_cursor=page.next_cursor, limit=request.limit, extra={"offset": page.head})


@operations("POST", "/threads/{thread_id}/members", response=MemberView, status=201)
async def add_member(call: Call, request: AddMemberRequest) -> Result:
    """Add a user, by id or by e-mail address. For owners and admins."""
    must_send_mail(call, request.invite)
    user_id = request.user_id or (await call.services.ask(FindUserByEmail(call.identity, request.email or ""))).id
    command = AddMember(
        identity=call.identity,
        once=call.once,
        thread_id=request.thread_id,
        user_id=user_id,
        role=request.role,
        invite=request.invite,
        origin=call.origin,
    )
    member = await call.services.result(command)
    look_at_letters(call, request.invite)
    return _shown(member, location=f"/api/v1/threads/{member.thread_id}/members/{member.user.id}")


@operations("GET", "/threads/{thread_id}/members/{user_id}", response=MemberView)
async def get_member(call: Call, request: MemberRequest) -> Result:
    """One member."""
    return _shown(await call.services.ask(GetMember(call.identity, request.thread_id, request.user_id)))


@operations("PATCH|PUT", "/threads/{thread_id}/members/{user_id}", response=MemberView)
async def update_member(call: Call, request: UpdateMemberRequest) -> Result:
    """Change a member's role (for owners and admins), or mute the thread for yourself."""
    command = UpdateMember(
        identity=call.identity, once=call.once, thread_id=request.thread_id, user_id=request.user_id,
        if_version=call.if_version, origin=call.origin, **given(request, "role", "muted"),
    )  # fmt: skip
    return _shown(await call.services.result(command))


@operations("DELETE", "/threads/{thread_id}/members/{user_id}", response=DeletedView)
async def remove_member(call: Call, request: MemberRequest) -> Result:
    """Remove a member (for owners and admins), or leave. The last owner cannot leave."""
    command = RemoveMember(
        identity=call.identity,
        thread_id=request.thread_id,
        user_id=request.user_id,
        if_version=call.if_version,
        origin=call.origin,
    )
    await call.services.directory.ask(command)
    return Result({"id": request.user_id, "deleted": True})


def _shown(member: Member, location: str | None = None) -> Result:
    return Result(render.member(member), version=member.version, location=location)
