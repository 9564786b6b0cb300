"""Sign-in at an identity provider: the OpenID Connect code flow, with PKCE, state and nonce."""

from typing import TYPE_CHECKING

from actors import limits
from actors.errors import Forbidden, NotFound
from actors.resources.sessions import SignInByProvider
from server.api.registry import Call, Operations, Result
from server.auth.issued_secrets import REFRESH_PREFIX, new_secret
from server.auth.own_path import own_path
from server.http.headers.cookies import Cookie
from server.resources.auth.operations import signed_in
from server.resources.auth.views import OauthBeginRequest, OauthCallbackRequest, SignedInView

if TYPE_CHECKING:  # it loads an HTTP client, which a server without a provider does not need
    from server.auth.sign_ins import SignIns
    from server.outbound.oidc import OidcClient
    from server.outbound.oidc.person import OidcPerson

operations = Operations("oauth")

STATE_COOKIE = "rpotential_oauth"
STATE_PATH = "/api/v1/auth/oauth"


@operations("GET", "/auth/oauth/google", response=None, status=303, access="open", rate="auth", waits=True)
async def begin_oauth(call: Call, request: OauthBeginRequest) -> Result:
    """Redirect to the identity provider for sign-in: Google, or the one set as OIDC_ISSUER."""
    begun = await _provider(call).begin(own_path(request.return_to))
    return Result(
        None, redirect=begun.url, cookies=(Cookie(STATE_COOKIE, begun.sealed, limits.OAUTH_STATE_SECONDS, STATE_PATH),)
    )


@operations("GET", "/auth/oauth/google/callback", response=SignedInView, access="open", rate="auth", waits=True)
async def finish_oauth(call: Call, request: OauthCallbackRequest) -> Result:
    """Finish the sign-in at the identity provider. Links an account by its address only if the address is verified."""
    sign_ins = call.services.sign_ins
    query = {name: value for name, value in request.model_dump().items() if value is not None}
    person, return_to = await _provider(call).finish(query, call.peer.cookie(STATE_COOKIE))
    email = person.email if person.email_verified else ""
    domain = _domain(sign_ins, person)
    refresh = new_secret(REFRESH_PREFIX)
    command = SignInByProvider(
        issuer=person.issuer, subject=person.subject, email=email, name=person.name, avatar_url=person.picture,
        domain=domain, refresh_hash=refresh.hash, origin=call.origin,
    )  # fmt: skip
    result = signed_in(call, (await call.services.write(command)).result, refresh)
    result.cookies += (Cookie(STATE_COOKIE, "", 0, STATE_PATH),)
    if return_to:
        result.redirect = return_to
    return result


def _provider(call: Call) -> "OidcClient":
    provider = call.services.sign_ins.provider
    if provider is None:
        raise NotFound("identity provider")
    return provider


def _domain(sign_ins: "SignIns", person: "OidcPerson") -> str:
    """Raises `Forbidden` (code `domain_not_allowed`) where their users may not come in."""
    if person.email_verified:
        return sign_ins.must_be_allowed(person.hosted_domain, person.email)
    try:
        return sign_ins.must_be_allowed("", "")
    except Forbidden as refusal:
        raise Forbidden(
            f"The identity provider does not mark {person.email!r} as verified, so it is ignored; "
            "TRUSTED_EMAIL_ISSUERS lists providers whose addresses are always accepted."
            if person.email
            else "The identity provider sent no e-mail address for this account; ALLOWED_DOMAINS requires one.",
            code=refusal.code,
        ) from None
