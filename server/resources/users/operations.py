"""Users: every signed-in user may read them and change their own account; the rest is for admins."""

from actors import permissions
from actors.resources.files.erasure import REASONS, FileErasure
from actors.resources.users import CreateUser, DeleteUser, GetUser, ListUsers, UpdateUser, User, UserFilter
from server.api import render
from server.api.cursors import integer
from server.api.fields import ById, Nothing, given
from server.api.registry import Call, Operations, Result
from server.resources.mail.letters import look_at_letters, must_send_mail
from server.resources.users.views import (
    CreateUserRequest,
    DeletedUserView,
    DeleteUserRequest,
    ListUsersRequest,
    UpdateMeRequest,
    UpdateUserRequest,
    UserView,
)

operations = Operations("users")

CHANGEABLE = ("name", "avatar_url", "metadata", "email", "role", "kind", "status")


@operations("GET", "/users/me", response=UserView)
async def get_me(call: Call, request: Nothing) -> Result:
    """The user of your credential."""
    return _shown(call, await call.services.ask(GetUser(call.identity.user.id)))


@operations("PATCH|PUT", "/users/me", response=UserView)
async def update_me(call: Call, request: UpdateMeRequest) -> Result:
    """Change your own name, picture or metadata."""
    return await _update(call, call.identity.user.id, request)


@operations("GET", "/users", response=UserView, paged=True)
async def list_users(call: Call, request: ListUsersRequest) -> Result:
    """All users, or those that match the filters; oldest account first."""
    wanted = UserFilter(request.q, request.email, request.kind, request.status)
    after = integer(request.cursor)
    page = await call.services.ask(ListUsers(call.identity, wanted, limit=request.limit, after=after))
    shown = [render.user(user, call.identity) for user in page.items]
    return Result(shown, next_cursor=page.next_cursor, limit=request.limit)


@operations("POST", "/users", response=UserView, status=201, access="admin")
async def create_user(call: Call, request: CreateUserRequest) -> Result:
    """Create a user before they first sign in. For admins."""
    permissions.must_administer(call.identity)
    must_send_mail(call, request.invite)
    command = CreateUser(
        identity=call.identity, once=call.once, email=request.email, name=request.name,
        avatar_url=request.avatar_url, role=request.role, kind=request.kind, domain=request.domain or "",
        metadata=request.metadata, invite=request.invite, origin=call.origin,
    )  # fmt: skip
    user = await call.services.result(command)
    look_at_letters(call, request.invite)
    shown = _shown(call, user, location=f"/api/v1/users/{user.id}")
    shown.extra = call.services.sign_ins.warnings(user)
    return shown


legacy = Operations("users", prefix="")
"""The first system had these two without the prefix, too."""


@legacy("GET", "/users", response=UserView, paged=True)
async def list_users_legacy(call: Call, request: ListUsersRequest) -> Result:
    """The same as `/api/v1/users`, at the first system's path."""
    return await list_users(call, request)


@legacy("POST", "/users", response=UserView, status=201, access="admin")
async def create_user_legacy(call: Call, request: CreateUserRequest) -> Result:
    """The same as `/api/v1/users`, at the first system's path."""
    return await create_user(call, request)


operations.all += legacy.all


@operations("GET", "/users/{id}", response=UserView)
async def get_user(call: Call, request: ById) -> Result:
    """One user."""
    return _shown(call, await call.services.ask(GetUser(request.id)))


@operations("PATCH|PUT", "/users/{id}", response=UserView)
async def update_user(call: Call, request: UpdateUserRequest) -> Result:
    """Change a user: yourself, or as an admin any user."""
    return await _update(call, request.id, request)


async def _update(call: Call, user_id: str, request: UpdateMeRequest) -> Result:
    changes = given(request, *CHANGEABLE)
    command = UpdateUser(
        identity=call.identity, user_id=user_id, if_version=call.if_version, once=call.once,
        origin=call.origin, **changes,
    )  # fmt: skip
    done = await call.services.write_access(command)
    return _shown(call, done.result)


@operations("DELETE", "/users/{id}", response=DeletedUserView, access="admin")
async def delete_user(call: Call, request: DeleteUserRequest) -> Result:
    """Delete an account for good, with all personal data. For admins.

    Their messages, and files in threads, stay by an anonymous author; with `content=remove` they are deleted, too, but
    for files that others show, over the next minutes. `files` says what is removed, and what is left why.
    """
    permissions.must_administer(call.identity)
    command = DeleteUser(
        identity=call.identity, user_id=request.id, if_version=call.if_version, content=request.content,
        origin=call.origin,
    )  # fmt: skip
    gone = (await call.services.write_access(command)).result
    return Result({"id": request.id, "deleted": True, "files": _erased(gone.files)})


def _erased(files: FileErasure) -> render.Json:
    kept = [
        {"reason": each.reason, "detail": REASONS[each.reason], "count": each.count, "size": each.size}
        for each in files.kept
    ]
    return {"removed": {"count": files.removed, "size": files.size}, "kept": kept}


def _shown(call: Call, user: User, location: str | None = None) -> Result:
    return Result(render.user(user, call.identity), version=user.version, location=location)
