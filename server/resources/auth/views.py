"""Signing in, sessions and API keys on the wire."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from actors import limits
from actors.auth.identity import Scope
from actors.resources.sessions import Method
from server.api.fields import Email, Id, Name, Paged, Request, Time, View
from server.auth.common_passwords import is_common
from server.resources.users.views import UserView


def _uncommon(password: str) -> str:
    if is_common(password):
        raise ValueError("is one of the passwords that are guessed first, or is made of them; choose another")
    return password


Password = Annotated[
    str,
    StringConstraints(min_length=limits.PASSWORD_CHARS_LEAST, max_length=limits.PASSWORD_CHARS),
    AfterValidator(_uncommon),
    Field(json_schema_extra={"format": "password"}),
]
GivenPassword = Annotated[
    str, StringConstraints(max_length=limits.PASSWORD_CHARS), Field(json_schema_extra={"format": "password"})
]
"""A password to compare: its length is not checked."""
SecretText = Annotated[str, StringConstraints(min_length=1, max_length=limits.API_KEY_CHARS)]
SECRETS = frozenset({"password", "new_password", "current_password", "link", "refresh_token"})
"""Fields whose values no error repeats."""


class LoginRequest(Request):
    email: Email | None = None
    password: GivenPassword | None = None
    link: SecretText | None = Field(default=None, description="A sign-in link, instead of address and password.")
    new_password: Password | None = Field(default=None, description="Only with `link`: the password to set.")
    cookies_only: bool = Field(
        default=False, description="For browsers: tokens are only set as cookies, not returned in the body."
    )


class AskForLinkRequest(Request):
    email: Email
    return_to: str | None = Field(
        default=None, max_length=limits.URL_CHARS, description="Path of this server to open after the sign-in."
    )


class AskedForLinkView(View):
    expires_in: int = Field(description="Seconds for which a link is good, once it was sent.")


class RefreshRequest(Request):
    refresh_token: SecretText | None = Field(default=None, description="Omitted by browsers, which send a cookie.")


class SignedInView(View):
    user: UserView
    session_id: Id
    token_type: Literal["Bearer"]
    expires_in: int = Field(description="Seconds until the access token expires.")
    access_token: str | None
    refresh_token: str | None = Field(description="Valid once; refreshing returns the next one.")


class SignedOutView(View):
    signed_out: bool


class CredentialView(View):
    valid: bool
    user: UserView
    credential: Literal["token", "session", "api_key"]
    session_id: Id | None
    api_key_id: Id | None
    scopes: list[Scope] | None = Field(description="Scopes of an API key; null: all rights of the user.")
    expires_at: Time | None


class SessionView(View):
    id: Id
    user_id: Id
    method: Method | Literal["TOKEN"] = Field(description="TOKEN: a recently used token of another issuer.")
    issuer: str | None = Field(description="The token's `iss`.")
    token_id: str | None = Field(description="The token's `jti`, or a hash of the token if it has none.")
    address: str
    user_agent: str
    current: bool = Field(description="Whether it is the session of this request.")
    created_at: Time
    last_seen_at: Time
    expires_at: Time


class EndedView(View):
    ended: int


class SetPasswordRequest(Request):
    current_password: GivenPassword | None = Field(default=None, description="Omitted if the user has no password yet.")
    new_password: Password


class PasswordSetView(View):
    sessions_ended: int


class CreateApiKeyRequest(Request):
    name: Name
    scopes: list[Scope] = Field(default=["read", "write"], min_length=1, max_length=3)
    expires_in: int | None = Field(
        default=None, ge=60, le=10 * 366 * 24 * 3600, description="Seconds until it expires; by default never."
    )
    user_id: Id | None = Field(default=None, description="For admins: the user that the key is for.")


class ListApiKeysRequest(Paged):
    user_id: Id | None = Field(default=None, description="For admins: the user whose keys to list.")


class ApiKeyView(View):
    id: Id
    user_id: Id
    name: str
    prefix: str = Field(description="The beginning of the key, to recognise it.")
    scopes: list[Scope]
    key: str | None = Field(default=None, description="The key itself: returned only when it is created.")
    created_at: Time
    expires_at: Time | None
    last_used_at: Time | None


class OauthBeginRequest(Request):
    return_to: str | None = Field(
        default=None, max_length=limits.URL_CHARS, description="Path to redirect to after the sign-in."
    )


class OauthCallbackRequest(Request):
    code: str | None = Field(default=None, max_length=4096)
    state: str | None = Field(default=None, max_length=4096)
    iss: str | None = Field(default=None, max_length=limits.URL_CHARS)
    error: str | None = Field(default=None, max_length=200)
    error_description: str | None = Field(default=None, max_length=4096)
    error_uri: str | None = Field(default=None, max_length=limits.URL_CHARS)
    session_state: str | None = Field(default=None, max_length=4096)
    scope: str | None = Field(default=None, max_length=4096)
    authuser: str | None = Field(default=None, max_length=200)
    hd: str | None = Field(default=None, max_length=255)
    prompt: str | None = Field(default=None, max_length=200)
