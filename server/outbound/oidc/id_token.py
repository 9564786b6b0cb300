"""ID tokens: the provider's word for who signed in (OpenID Connect Core 1.0, 3.1.3.7)."""

from collections.abc import Mapping
from typing import Any

from jwt import PyJWK, PyJWS

from actors import limits
from actors.errors import Unauthenticated
from server.outbound.oidc.attempt import is_same
from server.tokens import SUBJECT_CHARS, inspect_unverified


def key_id(token: str) -> str:
    """The key that a token says it is signed by. Raises `Unauthenticated`."""
    kid = inspect_unverified(token)[0].get("kid")
    if not isinstance(kid, str):
        raise Unauthenticated("The ID token must name its key (`kid`).")
    return kid


def claims_of(token: str, key: PyJWK, *, issuer: str, client_id: str, nonce: str, now: float) -> Mapping[str, Any]:
    """The claims of a good token, with a `sub` that is text. Raises `Unauthenticated`."""
    try:
        PyJWS().decode(token, key, algorithms=[key.algorithm_name])  # the key decides the algorithm (RFC 8725, 3.1)
    except Exception:  # noqa: BLE001 - whatever a crypto library makes of garbage, the token is no good
        raise Unauthenticated("The ID token's signature is not good.") from None
    claims = inspect_unverified(token)[1]
    if claims.get("iss") != issuer:
        raise Unauthenticated("The ID token is by another issuer.")
    _judge_audience(claims, client_id)
    _judge_times(claims, now)
    if not is_same(claims.get("nonce"), nonce):
        raise Unauthenticated("The ID token belongs to another attempt to sign in (`nonce`); begin again.")
    subject = claims.get("sub")
    if not (isinstance(subject, str) and 0 < len(subject) <= SUBJECT_CHARS and subject.isprintable()):
        raise Unauthenticated(f"The ID token's `sub` must be 1 to {SUBJECT_CHARS} printable characters.")
    return claims


def _judge_audience(claims: Mapping[str, Any], client_id: str) -> None:
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if client_id not in audiences:
        raise Unauthenticated("The ID token is for another client (`aud`).")
    # Made for several, it must say who asked for it; made for one, it may.
    if (len(audiences) > 1 or "azp" in claims) and claims.get("azp") != client_id:
        raise Unauthenticated("The ID token was asked for by another client (`azp`).")


def _judge_times(claims: Mapping[str, Any], now: float) -> None:
    leeway = limits.TOKEN_LEEWAY_SECONDS
    if _moment(claims, "exp") + leeway <= now:
        raise Unauthenticated("The ID token has expired; begin again.")
    if _moment(claims, "iat") > now + leeway:
        raise Unauthenticated("The ID token is from the future (`iat`).")
    if "nbf" in claims and _moment(claims, "nbf") > now + leeway:
        raise Unauthenticated("The ID token is not good yet (`nbf`).")


def _moment(claims: Mapping[str, Any], claim: str) -> float:
    moment = claims.get(claim)
    if isinstance(moment, bool) or not isinstance(moment, int | float) or not 0 <= moment < 2**53:
        raise Unauthenticated(f"The ID token's `{claim}` must be seconds since 1970.")
    return moment
