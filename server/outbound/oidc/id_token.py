"""ID tokens: the provider's word for who signed in (OpenID Connect Core 1.0, 3.1.3.7)."""

from collections.abc import Mapping
from typing import Any

from jwt import PyJWK, PyJWS

from actors import limits
from actors.errors import Unauthenticated
from server.auth import claims
from server.auth.tokens import inspect_unverified
from server.outbound.oidc.attempt import is_same


def key_id(token: str) -> str:
    """The key that a token says it is signed by. Raises `Unauthenticated`."""
    kid = inspect_unverified(token)[0].get("kid")
    if not isinstance(kid, str):
        raise Unauthenticated("The ID token must have a key id (`kid`).")
    return kid


def claims_of(token: str, key: PyJWK, *, issuer: str, client_id: str, nonce: str, now: float) -> Mapping[str, Any]:
    """The claims of a good token, with a `sub` that is text. Raises `Unauthenticated`."""
    try:
        PyJWS().decode(token, key, algorithms=[key.algorithm_name])  # the key decides the algorithm (RFC 8725, 3.1)
    except Exception:  # noqa: BLE001 - whatever a crypto library makes of garbage, the token is no good
        raise Unauthenticated("Invalid ID token signature.") from None
    found = inspect_unverified(token)[1]
    if found.get("iss") != issuer:
        raise Unauthenticated("The ID token has another issuer (`iss`).")
    _judge_audience(found, client_id)
    _judge_times(found, now)
    if not is_same(found.get("nonce"), nonce):
        raise Unauthenticated("The ID token belongs to another sign-in (`nonce`); start again.")
    claims.subject(found, claims.ID_TOKEN)
    return found


def _judge_audience(found: Mapping[str, Any], client_id: str) -> None:
    if client_id not in claims.audiences(found):
        raise Unauthenticated("The ID token is for another client (`aud`).")
    # Made for several, it must say who asked for it; made for one, it may.
    several = isinstance(found["aud"], list) and len(found["aud"]) > 1
    if (several or "azp" in found) and found.get("azp") != client_id:
        raise Unauthenticated("The ID token was issued to another client (`azp`).")


def _judge_times(found: Mapping[str, Any], now: float) -> None:
    leeway = limits.TOKEN_LEEWAY_SECONDS
    if _moment(found, "exp") + leeway <= now:
        raise Unauthenticated("The ID token has expired; start again.")
    if _moment(found, "iat") > now + leeway:
        raise Unauthenticated("The ID token was issued in the future (`iat`).")
    if "nbf" in found and _moment(found, "nbf") > now + leeway:
        raise Unauthenticated("The ID token is not valid yet (`nbf`).")


def _moment(found: Mapping[str, Any], claim: str) -> float:
    moment = claims.moment(found, claim, claims.ID_TOKEN)
    if moment is None:
        raise Unauthenticated(f"The ID token must have `{claim}`, in seconds since 1970.")
    return moment
