"""Signing in at an OpenID provider, by the authorization code flow with PKCE (OpenID Connect Core 1.0, RFC 9700).

    begin    settings ──▶ metadata (discovered) ──▶ url for the browser + a sealed attempt for its cookie
    finish   the browser's query + its cookie ──▶ attempt ──▶ tokens ──▶ id_token ──▶ person

The server remembers nothing in between: what ties the two halves together is in the cookie.
"""

from server.outbound.oidc.client import Begun, OidcClient
from server.outbound.oidc.person import OidcPerson
from server.outbound.oidc.settings import OidcSettings

__all__ = ["Begun", "OidcClient", "OidcPerson", "OidcSettings"]
