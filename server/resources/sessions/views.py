"""How users sign in, for administrators, on the wire."""

from typing import Literal

from pydantic import Field

from server.api.fields import Id, Paged, Request, Time, View


class ListSessionsRequest(Paged):
    user_id: Id | None = None


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
