"""What signing in works with: tokens of sessions, and how a browser keeps them."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from actors import limits
from actors.errors import Forbidden
from actors.resources.sessions import SignedIn
from actors.resources.users import User
from server.api import render
from server.auth.passwords import Passwords
from server.auth.refused_sign_ins import RefusedSignIns
from server.auth.token_minting import mint_own
from server.http.headers.cookies import Cookie
from server.limits.password_tries import PasswordTries

if TYPE_CHECKING:
    from server.outbound.oidc import OidcClient

REFRESH_PATH = "/api/v1/auth/refresh"


@dataclass(slots=True)
class SignIns:
    own_key: bytes
    """Signs access tokens of sessions."""
    cookie: str
    """Name of the cookie for access tokens; refresh tokens come in one beside it."""
    must_be_allowed: Callable[[str, str], str]
    """(domain, e-mail address) → the domain; raises `Forbidden` where its users may not come in."""
    passwords: Passwords
    tries: PasswordTries
    provider: "OidcClient | None" = None
    refused: RefusedSignIns = field(default_factory=RefusedSignIns)

    async def close(self) -> None:
        self.passwords.close()
        if self.provider is not None:
            await self.provider.close()

    def must_come_in(self, user: User) -> None:
        """Raises `Forbidden` for a user of a domain that is not allowed."""
        self.must_be_allowed(user.domain, user.email)

    def warnings(self, user: User) -> dict[str, list[str]]:
        """For the metadata of an answer that makes a way in for a user who may not come in."""
        try:
            self.must_come_in(user)
        except Forbidden as refusal:
            return {"warnings": [refusal.detail]}
        return {}

    def answer(self, signed_in: SignedIn, refresh: str, *, cookies_only: bool) -> dict[str, Any]:
        """The response to a client; with cookies alone no script ever sees a token."""
        answer = {
            "user": render.user(signed_in.user, None) | render.private(signed_in.user),
            "session_id": signed_in.session.id,
            "token_type": "Bearer",
            "expires_in": limits.ACCESS_TOKEN_SECONDS,
        }
        if cookies_only:
            return answer | {"access_token": None, "refresh_token": None}
        return answer | {"access_token": self.access_token(signed_in), "refresh_token": refresh}

    def access_token(self, signed_in: SignedIn) -> str:
        return mint_own(
            self.own_key, signed_in.user, signed_in.session.id, ttl_seconds=limits.ACCESS_TOKEN_SECONDS, now=time.time()
        )

    def cookies(self, signed_in: SignedIn, refresh: str) -> tuple[Cookie, ...]:
        return (
            Cookie(self.cookie, self.access_token(signed_in), limits.ACCESS_TOKEN_SECONDS),
            Cookie(self.refresh_cookie, refresh, limits.SESSION_SECONDS, REFRESH_PATH),
        )

    @property
    def refresh_cookie(self) -> str:
        return f"{self.cookie}_refresh"

    @property
    def forgetting(self) -> tuple[Cookie, ...]:
        """Take the cookies away."""
        return (Cookie(self.cookie, "", 0), Cookie(self.refresh_cookie, "", 0, REFRESH_PATH))
