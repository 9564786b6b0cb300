"""Users: anyone signed in may read them and change themselves; the rest is for admins."""

from typing import cast

from actors import rules
from actors.commands import CreateUser, DeleteUser, UpdateUser
from actors.records import User
from server import render
from server.operations.cursors import integer
from server.registry import Call, Operations, Result
from server.schemas.base import ById, Nothing, Paged, given
from server.schemas.common import DeletedView
from server.schemas.users import CreateUserRequest, UpdateMeRequest, UpdateUserRequest, UserView

operations = Operations("users")

CHANGEABLE = ("name", "avatar_url", "metadata", "email", "role", "kind", "status")


@operations("GET", "/users/me", response=UserView)
async def get_me(call: Call, request: Nothing) -> Result:
    """The user that one's token speaks for."""
    return _shown(call, await call.services.history.user(call.identity.user.id))


@operations("PATCH|PUT", "/users/me", response=UserView)
async def update_me(call: Call, request: UpdateMeRequest) -> Result:
    """Change one's own name, picture or metadata."""
    return await _update(call, call.identity.user.id, request)


@operations("GET", "/users", response=UserView, paged=True)
async def list_users(call: Call, request: Paged) -> Result:
    """All users, the oldest account first."""
    page = await call.services.history.users(limit=request.limit, after=integer(request.cursor))
    shown = [render.user(user, call.identity) for user in page.items]
    return Result(shown, next_cursor=page.next_cursor, limit=request.limit)


@operations("POST", "/users", response=UserView, status=201, access="admin")
async def create_user(call: Call, request: CreateUserRequest) -> Result:
    """Make a user before they first sign in. For admins."""
    rules.must_administer(call.identity)
    command = CreateUser(
        identity=call.identity, once=call.once, email=request.email, name=request.name,
        avatar_url=request.avatar_url, role=request.role, kind=request.kind, domain=request.domain or "",
        metadata=request.metadata,
    )  # fmt: skip
    user = cast(User, (await call.services.write(command)).result)
    return _shown(call, user, location=f"/api/v1/users/{user.id}")


@operations("GET", "/users/{id}", response=UserView)
async def get_user(call: Call, request: ById) -> Result:
    """One user."""
    return _shown(call, await call.services.history.user(request.id))


@operations("PATCH|PUT", "/users/{id}", response=UserView)
async def update_user(call: Call, request: UpdateUserRequest) -> Result:
    """Change a user: oneself, or as an admin anybody."""
    return await _update(call, request.id, request)


async def _update(call: Call, user_id: str, request: UpdateMeRequest) -> Result:
    changes = given(request, *CHANGEABLE)
    command = UpdateUser(identity=call.identity, user_id=user_id, if_version=call.if_version, once=call.once, **changes)
    rights = bool(changes.keys() & {"role", "kind", "status"})
    done = await call.services.write(
        command, lambda done: call.services.user_changed(cast(User, done.result), rights=rights)
    )
    return _shown(call, cast(User, done.result))


@operations("DELETE", "/users/{id}", response=DeletedView, access="admin")
async def delete_user(call: Call, request: ById) -> Result:
    """Deactivate a user for good and forget who they were. What they wrote stays, by a nameless author. For admins."""
    rules.must_administer(call.identity)
    user = await call.services.history.user(request.id)
    command = DeleteUser(identity=call.identity, user_id=request.id, if_version=call.if_version)
    await call.services.write(command, lambda _: call.services.user_changed(user, rights=True))
    return Result({"id": request.id, "deleted": True})


def _shown(call: Call, user: User, location: str | None = None) -> Result:
    return Result(render.user(user, call.identity), version=user.version, location=location)
