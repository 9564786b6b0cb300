"""Signing in and out, sessions, and the credential of a request."""

import time

from actors import limits
from actors.auth.identity import Identity
from actors.errors import Conflict, Forbidden, Overloaded, TooManyRequests, Unauthenticated, ValidationFailed
from actors.resources.audit import NoteForAudit
from actors.resources.sessions import (
    REFRESH_IS_NONE,
    EndSession,
    EndSessions,
    FindPasswordAccount,
    FindUserByRefreshToken,
    GetPasswordHash,
    PasswordAccount,
    RefreshSession,
    Reused,
    RevokeToken,
    SetPassword,
    SignedIn,
    StartSession,
)
from actors.resources.users import GetUser
from server.api import render
from server.api.common_views import DeletedView
from server.api.fields import ById, Nothing, Paged
from server.api.registry import Call, Operations, Result
from server.auth.issued_secrets import REFRESH_PREFIX, Secret, hash_of, new_secret, next_refresh
from server.auth.own_path import own_path
from server.auth.signed_in_places import end_place, places
from server.resources.auth import links
from server.resources.auth.links import give_back, take_sign_in
from server.resources.auth.views import (
    AskedForLinkView,
    AskForLinkRequest,
    CredentialView,
    EndedView,
    LoginRequest,
    PasswordSetView,
    RefreshRequest,
    SessionView,
    SetPasswordRequest,
    SignedInView,
    SignedOutView,
)
from server.resources.mail.letters import letters_of
from server.resources.users.views import UserView

operations = Operations("auth")


@operations("POST", "/auth/login", response=SignedInView, access="open", rate="auth")
async def login(call: Call, request: LoginRequest) -> Result:
    """Sign in with e-mail address and password, or with a sign-in link.

    Returns an access token for 15 minutes and a refresh token, and sets both as cookies.
    """
    if request.link is not None:
        return await _follow_link(call, request)
    if request.email is None or request.password is None:
        raise ValidationFailed({"body": ["expected `email` and `password`, or `link`."]})
    if request.new_password is not None:
        raise ValidationFailed({"new_password": ["expected only with `link`; POST /auth/password changes a password."]})
    account = await _checked(call, request.email, request.password)
    call.services.sign_ins.must_come_in(account.user)
    take_sign_in(call, account.user)
    refresh = new_secret(REFRESH_PREFIX)
    command = StartSession(
        user_id=account.user.id, method="PASSWORD", refresh_hash=refresh.hash, password=account.hash,
        origin=call.origin,
    )  # fmt: skip
    return signed_in(call, (await call.services.write(command)).result, refresh, cookies_only=request.cookies_only)


async def _checked(call: Call, email: str, password: str) -> PasswordAccount:
    """The account whose password it is. Raises `Unauthenticated`, or `TooManyRequests` where too many were wrong."""
    sign_ins, address = call.services.sign_ins, call.peer.address
    account = await call.services.ask(FindPasswordAccount(email))
    named = account.user.id if account else email.lower()
    try:
        async with sign_ins.tries.one(named, address, account.addresses if account else frozenset()) as wrong:
            matches = await sign_ins.passwords.matches(password, account.hash if account else None, address)
            if account is not None and matches and account.user.status == "ACTIVE":
                return account
            wrong()
    except (TooManyRequests, Overloaded):  # nothing was tried: it must not keep links from working there
        give_back(call)
        raise
    await _note_refusal(call, account.user.id if account else None)
    raise Unauthenticated("The e-mail address or the password is wrong.")


async def _follow_link(call: Call, request: LoginRequest) -> Result:
    assert request.link is not None
    if request.email is not None or request.password is not None:
        raise ValidationFailed({"link": ["expected alone, or with `new_password`."]})
    result, refresh = await links.follow(call, hash_of(request.link), request.new_password)
    return signed_in(call, result, refresh, cookies_only=request.cookies_only)


@operations("POST", "/auth/links", response=AskedForLinkView, status=202, access="open", rate="auth")
async def ask_for_link(call: Call, request: AskForLinkRequest) -> Result:
    """Have a sign-in link sent to your e-mail address.

    The answer is the same whether a user has the address or not. A link signs in once, within 15 minutes; one user is
    sent one a minute, and five an hour.
    """
    letters_of(call).ask(request.email, own_path(request.return_to), call.origin)
    return Result({"expires_in": limits.LETTER_SECONDS})


async def _note_refusal(call: Call, user_id: str | None) -> None:
    reason = call.services.sign_ins.refused.reason("wrong address or password")
    if reason is None:
        return
    note = NoteForAudit(
        action="sign_in", origin=call.origin, target_kind="user" if user_id else "", target_id=user_id or "",
        outcome="refused", reason=reason,
    )  # fmt: skip
    await call.services.write(note)


def signed_in(call: Call, result: object, refresh: Secret, *, cookies_only: bool = False) -> Result:
    """The response to a sign-in."""
    assert isinstance(result, SignedIn)
    give_back(call)
    sign_ins = call.services.sign_ins
    answer = sign_ins.answer(result, refresh.text, cookies_only=cookies_only)
    return Result(answer, cookies=sign_ins.cookies(result, refresh.text))


@operations("POST", "/auth/refresh", response=SignedInView, access="open", rate="auth")
async def refresh_session(call: Call, request: RefreshRequest) -> Result:
    """Exchange a refresh token for an access token and the next refresh token.

    Each is valid once. If it is sent again within ten seconds, for example by a second tab, the same next token is
    returned. If it is sent later, it or its successor was stolen: the session ends.
    """
    sign_ins = call.services.sign_ins
    by_cookie = request.refresh_token is None
    given = call.peer.cookie(sign_ins.refresh_cookie) if by_cookie else request.refresh_token
    if not given:
        raise Unauthenticated(f"Send `refresh_token`, or the cookie `{sign_ins.refresh_cookie}`.")
    refresh = next_refresh(sign_ins.own_key, given)
    command = RefreshSession(token_hash=hash_of(given), next_hash=refresh.hash, origin=call.origin)
    await _take_refresh(call, command.token_hash)
    outcome = (await call.services.write(command, lambda _: call.services.access.look())).result
    if isinstance(outcome, Reused):
        await call.services.access.settle()
        raise Unauthenticated(
            "This refresh token was used before, so its session was ended; sign in again.", code="refresh_reused"
        )
    sign_ins.must_come_in(outcome.user)
    return signed_in(call, outcome, refresh, cookies_only=by_cookie)


async def _take_refresh(call: Call, token_hash: bytes) -> None:
    """A write of its user's, before the token is used up; an unknown one is refused without a write. Raises
    `TooManyRequests` and `Unauthenticated`."""
    user_key = await call.services.ask(FindUserByRefreshToken(token_hash))
    if user_key is None:
        raise Unauthenticated(REFRESH_IS_NONE)
    if call.services.limiter is not None:
        call.services.limiter.take("write", user_key)


@operations("POST", "/auth/logout", response=SignedOutView)
async def logout(call: Call, request: Nothing) -> Result:
    """End the current session, or revoke the token; delete the cookies and close its connections."""
    identity, services = call.identity, call.services
    if identity.api_key_id:
        raise Conflict("An API key cannot sign out; DELETE /api/v1/auth/api-keys/{id} revokes it.")
    command: EndSession | RevokeToken
    if identity.session_id:
        command = EndSession(identity=identity, session_id=identity.session_id, reason="signed out", origin=call.origin)
    else:
        expires_at = identity.expires_at * 1000
        command = RevokeToken(
            identity=identity, token_id=identity.token_id, expires_at=expires_at, origin=call.origin
        )  # fmt: skip
    await services.write_access(command)
    return Result({"signed_out": True}, cookies=services.sign_ins.forgetting)


@operations("GET", "/auth/me", response=UserView)
async def get_signed_in_user(call: Call, request: Nothing) -> Result:
    """The signed-in user."""
    user = await call.services.ask(GetUser(call.identity.user.id))
    return Result(render.user(user, call.identity), version=user.version)


@operations("GET", "/auth/verify", response=CredentialView)
async def verify_credential(call: Call, request: Nothing) -> Result:
    """The credential of this request: its user, scopes and expiry."""
    identity = call.identity
    return Result(
        {
            "valid": True,
            "user": render.user(identity.user, identity),
            "credential": _kind(identity),
            "session_id": identity.session_id or None,
            "api_key_id": identity.api_key_id or None,
            "scopes": sorted(identity.scopes) if identity.scopes is not None else None,
            "expires_at": _expiry(identity),
        }
    )


def _expiry(identity: Identity) -> str | None:
    """What the credential itself says: `exp` of a token, without the leeway for clocks that differ."""
    if identity.api_key_id:
        return render.iso_time(identity.expires_at * 1000) if identity.expires_at < 2**39 else None
    return render.iso_time((identity.expires_at - limits.TOKEN_LEEWAY_SECONDS) * 1000)


def _kind(identity: Identity) -> str:
    return "session" if identity.session_id else "api_key" if identity.api_key_id else "token"


@operations("GET", "/auth/sessions", response=SessionView, paged=True)
async def list_sessions(call: Call, request: Paged) -> Result:
    """List active sessions and recently used tokens of other issuers."""
    return await places(call, call.identity.user.id, request.limit, request.cursor)


@operations("DELETE", "/auth/sessions/{id}", response=DeletedView)
async def end_session(call: Call, request: ById) -> Result:
    """End a session, or revoke a token. Connections that were opened with it are closed."""
    await end_place(call, request.id, "ended")
    return Result({"id": request.id, "deleted": True})


@operations("DELETE", "/auth/sessions", response=EndedView)
async def end_other_sessions(call: Call, request: Nothing) -> Result:
    """End all sessions but the current one. Tokens of other issuers must be revoked one by one."""
    command = EndSessions(identity=call.identity, user_id=call.identity.user.id, origin=call.origin)
    done = await call.services.write_access(command)
    return Result({"ended": done.result})


@operations("POST", "/auth/password", response=PasswordSetView, rate="audited")
async def set_password(call: Call, request: SetPasswordRequest) -> Result:
    """Set or change your password; ends your other sessions."""
    services, identity = call.services, call.identity
    if identity.api_key_id:
        raise Forbidden("An API key cannot change a password; sign in.")
    known = await services.ask(GetPasswordHash(identity.user.id))
    passwords, address = services.sign_ins.passwords, call.peer.address
    if known is not None:
        await _must_know(call, request.current_password or "", known)
    command = SetPassword(
        identity=identity, password=await passwords.hash(request.new_password, address), expected=known,
        origin=call.origin,
    )  # fmt: skip
    done = await services.write_access(command)
    return Result({"sessions_ended": done.result})


async def _must_know(call: Call, password: str, known: str) -> None:
    """Raises `Forbidden`, or `TooManyRequests`: who has come by a session guesses no longer than who has none, and
    keeps other sessions of the user from nothing."""
    identity, sign_ins = call.identity, call.services.sign_ins
    async with sign_ins.tries.by_credential(identity.user.id, identity.credential) as wrong:
        if not await sign_ins.passwords.matches(password, known, call.peer.address):
            wrong()
            raise Forbidden("The current password is wrong.")


def now_ms() -> int:
    return time.time_ns() // 1_000_000
