"""Tokens: JSON Web Tokens verified by pinned keys, and their claims judged.

The key decides the algorithm, never the token (RFC 8725, 3.1): HS256 belongs to the secret, RS256, ES256 and EdDSA to
the issuer's published keys. A token that brings its own key (`jwk`, `jku`, `x5u`, `x5c`) is refused.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from jwt import PyJWK

from actors import limits
from actors.errors import Forbidden, TokenExpired, Unauthenticated
from actors.identifiers import is_id
from actors.resources.users import USER_KINDS, USER_ROLES, UserKind, UserRole
from actors.text.email_address import domain_of
from server.auth import claims
from server.auth.hs256 import SharedSecret, decoded

ANY_DOMAIN = "*"
"""Of ALLOWED_DOMAINS: users of every domain, and of none, may come in."""
_KEY_ID = re.compile(r"[\x21-\x7e]{1,128}")
_PART = re.compile(r"[A-Za-z0-9_-]+")
_TYPES = ("JWT", "at+jwt", "application/at+jwt")  # a tuple: a token's `typ` need not be hashable
OWN_KEY_ID = "self"
"""`kid` of the tokens that this server issues for its own sessions."""
OWN_ISSUER = "experience-server"
Key = PyJWK | SharedSecret
_BRINGS_A_KEY = frozenset({"jwk", "jku", "x5u", "x5c", "crit", "b64"})


class KeySet:
    """The issuer's public keys by `kid`. Filled by the fetcher; read at every verification."""

    def __init__(self) -> None:
        self.keys: Mapping[str, PyJWK] = {}


@dataclass(frozen=True, slots=True)
class TokenRules:
    allowed_domains: tuple[str, ...]
    secret: bytes | None = field(default=None, repr=False)
    keys: KeySet | None = None
    issuer: str | None = None
    audience: str | None = None
    own_key: bytes | None = field(default=None, repr=False)
    """Signs the tokens of our own sessions; see `server.token_minting.own_key`."""
    trust_role_claim: bool = True
    leeway_seconds: int = limits.TOKEN_LEEWAY_SECONDS


@dataclass(frozen=True, slots=True)
class Claims:
    """Implements `actors.ports.VerifiedClaims`."""

    sub: str
    email: str
    name: str
    domain: str
    role: UserRole | None
    """None where the token does not say, or may not say."""
    kind: UserKind
    expires_at: int
    token_id: str
    session_id: str = ""
    """Of a token of our own: the session that it speaks for."""
    issuer: str = ""


@dataclass(frozen=True, slots=True)
class ChannelClaims:
    """What a token for one channel says."""

    sub: str
    channel: str
    expires_at: int | None


class TokenVerifier:
    """Implements `actors.ports.TokenVerifier`."""

    def __init__(self, rules: TokenRules) -> None:
        """Raises `ValueError` for a secret that is too short to be one, or is no secret but a key or a certificate."""
        if rules.secret is not None and len(rules.secret) < limits.SECRET_BYTES_LEAST:
            raise ValueError(
                f"the secret must have at least {limits.SECRET_BYTES_LEAST} bytes, it has {len(rules.secret)}"
            )
        self._rules = rules
        self._secret = _shared(rules.secret)
        self._own = _shared(rules.own_key)
        self._domains = frozenset(map(_folded, rules.allowed_domains))
        self._takes_any = ANY_DOMAIN in self._domains

    def verify(self, token: str, now: float) -> Claims:
        """The claims of a good token.

        Raises `TokenExpired`, `Unauthenticated` (code `unknown_key` where the issuer may have a new key), and
        `Forbidden` (code `domain_not_allowed`).
        """
        header, payload = _open(token)
        own = self._own if header.get("kid") == OWN_KEY_ID else None
        _must_be_signed(token, _of_algorithm(own, header) if own is not None else self._key_for(header))
        found = self._judge_own(payload, now) if own is not None else self._judge(payload, now)
        return found if found.token_id or found.session_id else replace(found, token_id=fingerprint(token))

    def verify_channel(self, token: str, now: float) -> ChannelClaims:
        """The claims of a good token for a channel; raises `TokenExpired`, `Unauthenticated`."""
        header, payload = _open(token)
        _must_be_signed(token, self._key_for(header))
        expires_at = None
        if "exp" in payload:
            expires_at = self._judge_times(payload, now)
        else:
            self._judge_beginning(payload, now)
        self._judge_parties(payload)
        subject, channel = payload.get("sub"), payload.get("channel")
        if not isinstance(subject, str) or not isinstance(channel, str):
            raise Unauthenticated("A subscription token must have the claims `sub` and `channel`.")
        return ChannelClaims(subject, channel, expires_at)

    def must_be_allowed(self, domain: str, email: str) -> str:
        """Check the domain of a user who signs in; raises `Forbidden` (code `domain_not_allowed`)."""
        return self._judge_domain(domain, email)

    def _judge_own(self, payload: Mapping[str, Any], now: float) -> Claims:
        """Who they are stands in their session; a token only names it."""
        expires_at = self._judge_times(payload, now)
        session_id = payload.get("sid")
        if payload.get("iss") != OWN_ISSUER or not (isinstance(session_id, str) and is_id(session_id)):
            raise Unauthenticated("Not a session token.")
        return Claims("", "", "", "", None, "HUMAN", expires_at, "", session_id)

    def _key_for(self, header: Mapping[str, Any]) -> Key:
        algorithm, kid = header.get("alg"), header.get("kid")
        if "kid" in header and not (isinstance(kid, str) and _KEY_ID.fullmatch(kid)):
            raise Unauthenticated("The token's `kid` must be a short printable string.")
        if algorithm == "HS256":
            if self._secret is None:
                raise Unauthenticated("Tokens signed with a shared secret are not accepted here.")
            return self._secret
        if self._rules.keys is None or algorithm not in ("RS256", "ES256", "EdDSA"):
            raise Unauthenticated("The token's algorithm is not accepted here.")
        if kid is None:
            raise Unauthenticated("The token must have a key id (`kid`).")
        key = self._rules.keys.keys.get(kid)
        if key is None:
            raise Unauthenticated(
                "The token's key (`kid`) is not among the issuer's keys.", code="unknown_key", key_id=kid
            )
        return _of_algorithm(key, header)

    def _judge(self, payload: Mapping[str, Any], now: float) -> Claims:
        expires_at = self._judge_times(payload, now)
        self._judge_parties(payload)
        if "channel" in payload:
            raise Unauthenticated("This is a subscription token; it does not authenticate requests.")
        subject = claims.subject(payload)
        # An address that its issuer has not verified may be any user's: no domain and no account follows from it.
        email = claims.email(payload)
        if claims.says_verified(payload) is False:
            email = ""
        trusted = self._rules.trust_role_claim
        return Claims(
            sub=subject,
            email=email,
            name=claims.name(payload),
            domain=self._judge_domain(claims.text(payload, "domain", limits.SUBJECT_CHARS), email),
            role=claims.one_of(USER_ROLES, payload.get("role")) if trusted else None,
            kind=(claims.one_of(USER_KINDS, payload.get("kind")) if trusted else None) or "HUMAN",
            expires_at=expires_at,
            token_id=claims.text(payload, "jti", limits.SUBJECT_CHARS),
            issuer=claims.issuer(payload),
        )

    def _judge_times(self, payload: Mapping[str, Any], now: float) -> int:
        leeway = self._rules.leeway_seconds
        expires_at = claims.moment(payload, "exp")
        if expires_at is None:
            raise Unauthenticated("The token must have an expiry (`exp`).")
        if expires_at > now + limits.TOKEN_SECONDS_MAX:
            raise Unauthenticated("The token's `exp` is too far in the future.")
        self._judge_beginning(payload, now)
        if expires_at + leeway <= now:
            raise TokenExpired("The token has expired; sign in again or refresh it.")
        return int(expires_at) + leeway

    def _judge_beginning(self, payload: Mapping[str, Any], now: float) -> None:
        for claim in ("nbf", "iat"):
            moment = claims.moment(payload, claim)
            if moment is not None and moment > now + self._rules.leeway_seconds:
                raise Unauthenticated(f"The token is not valid yet (`{claim}`).")

    def _judge_parties(self, payload: Mapping[str, Any]) -> None:
        rules = self._rules
        if rules.issuer is not None and payload.get("iss") != rules.issuer:
            raise Unauthenticated("The token has another issuer (`iss`).")
        if rules.audience is not None and rules.audience not in claims.audiences(payload):
            raise Unauthenticated("The token has another audience (`aud`).")

    def _judge_domain(self, domain: str, email: str) -> str:
        """The claim decides; where there is none, the domain of the e-mail address does."""
        found = _folded(domain or domain_of(email))
        if found not in self._domains and not self._takes_any:
            raise Forbidden(
                f"Users of {found!r} may not sign in; ALLOWED_DOMAINS lists the allowed domains, or `*` for any."
                if found
                else "Neither a domain nor a verified e-mail address says where this user belongs; "
                "ALLOWED_DOMAINS decides by that.",
                code="domain_not_allowed",
            )
        return found


def _shared(secret: bytes | None) -> SharedSecret | None:
    return None if secret is None else SharedSecret(secret)


def _of_algorithm(key: Key, header: Mapping[str, Any]) -> Key:
    if header.get("alg") != ("HS256" if isinstance(key, SharedSecret) else key.algorithm_name):
        raise Unauthenticated("The token's algorithm does not match its key.")
    return key


def _must_be_signed(token: str, key: Key) -> None:
    """Only the signature: claims are judged here, by the caller's clock and in our words."""
    text, _, letters = token.rpartition(".")
    try:
        signature = decoded(letters)
        if isinstance(key, SharedSecret):
            is_signed = key.verify(text.encode(), signature)
        else:
            is_signed = key.Algorithm.verify(text.encode(), key.key, signature)
    except Exception:  # noqa: BLE001 - whatever a crypto library makes of garbage, the token is no good
        is_signed = False
    if not is_signed:
        raise Unauthenticated("Invalid token signature.")


def _open(token: str) -> tuple[Mapping[str, Any], dict[str, Any]]:
    """Header and payload, unverified: only what makes it worth looking at the signature."""
    if len(token) > limits.TOKEN_BYTES:
        raise Unauthenticated(f"A token may have at most {limits.TOKEN_BYTES} bytes.")
    parts = token.split(".")
    if len(parts) != 3 or not all(map(_PART.fullmatch, parts)):
        raise Unauthenticated("A token must be three parts of base64url, joined by dots.")
    header, payload = _header(parts[0]), _object(parts[1])
    if _BRINGS_A_KEY & header.keys():
        raise Unauthenticated("A token may not contain its own key or demand extensions.")
    if header.get("typ", "JWT") not in _TYPES:
        raise Unauthenticated("The token has another type (`typ`).")
    return header, payload


@lru_cache(maxsize=limits.TOKEN_HEADERS_CACHED)
def _header(part: str) -> Mapping[str, Any]:
    """The same for all tokens of a key: read once, and never changed."""
    return _object(part)


def _object(part: str) -> dict[str, Any]:
    try:
        found = _JSON.decode(decoded(part).decode())  # given bytes, `json` would read UTF-16, too
    except (ValueError, RecursionError):
        raise Unauthenticated("The token does not contain JSON objects.") from None
    if not isinstance(found, dict):
        raise Unauthenticated("The token does not contain JSON objects.")
    return found


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two parsers may take different values of a repeated name: honest issuers send none."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is repeated")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_JSON = json.JSONDecoder(object_pairs_hook=_without_repeats, parse_constant=_no_constant)


def _folded(domain: str) -> str:
    """Domains differ by more than case outside of ASCII: `K` (the Kelvin sign) in lower case is an ordinary `k`."""
    return domain.lower() if domain.isascii() else domain


def fingerprint(token: str) -> str:
    """Names a token that has no `jti`, without giving it away. By what is signed: anyone can make a second signature of
    the same from one by ES256, and a token that was revoked must not come back by it."""
    signed, _, _ = token.rpartition(".")
    return f"sha256:{hashlib.sha256(signed.encode()).hexdigest()}"


def inspect_unverified(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """(header, claims) of the token, not verified. Raises `Unauthenticated`."""
    header, payload = _open(token)
    return dict(header), payload
