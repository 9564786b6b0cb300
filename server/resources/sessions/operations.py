"""Sessions of all users, sign-in links and revoked tokens, for administrators."""

from actors import limits
from actors.permissions import must_administer
from actors.resources.sessions import CreateLink, RevokeToken
from server.api import render
from server.api.common_views import DeletedView
from server.api.fields import ById
from server.api.registry import Call, Operations, Result
from server.auth.issued_secrets import LINK_PREFIX, new_secret
from server.auth.signed_in_places import end_place, places
from server.resources.auth.operations import now_ms
from server.resources.auth.views import SessionView
from server.resources.sessions.views import ListSessionsRequest, RevokedView, RevokeTokenRequest, SignInLinkView

operations = Operations("admin", prefix="/api/v1/admin")


@operations("GET", "/sessions", response=SessionView, access="admin", paged=True)
async def list_all_sessions(call: Call, request: ListSessionsRequest) -> Result:
    """Active sessions of all users, newest first."""
    must_administer(call.identity)
    return await places(call, request.user_id, request.limit, request.cursor)


@operations("DELETE", "/sessions/{id}", response=DeletedView, access="admin")
async def end_any_session(call: Call, request: ById) -> Result:
    """End a session of any user."""
    must_administer(call.identity)
    await end_place(call, request.id, "ended by an administrator")
    return Result({"id": request.id, "deleted": True})


@operations("POST", "/users/{id}/sign-in-link", response=SignInLinkView, status=201, access="admin")
async def create_sign_in_link(call: Call, request: ById) -> Result:
    """Create a link that signs a user in once and lets them set a password. It is returned only once."""
    must_administer(call.identity)
    secret, expires_at = new_secret(LINK_PREFIX), now_ms() + limits.SIGN_IN_LINK_SECONDS * 1000
    command = CreateLink(
        identity=call.identity, user_id=request.id, link_hash=secret.hash, expires_at=expires_at, origin=call.origin
    )
    user = await call.services.result(command)
    shown = {"user_id": request.id, "link": secret.text, "expires_at": render.iso_time(expires_at)}
    return Result(shown, extra=call.services.sign_ins.warnings(user))


@operations("POST", "/tokens/revoke", response=RevokedView, access="admin")
async def revoke_token(call: Call, request: RevokeTokenRequest) -> Result:
    """Revoke another issuer's token by its `jti`. Connections that were opened with it are closed."""
    command = RevokeToken(
        identity=call.identity, token_id=request.jti, expires_at=now_ms() + request.expires_in * 1000,
        origin=call.origin, once=call.once,
    )  # fmt: skip
    await call.services.write_access(command)
    return Result({"revoked": True})
