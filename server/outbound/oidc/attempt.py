"""An attempt to sign in, between leaving for the provider and coming back; sealed into a cookie meanwhile."""

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import astuple, dataclass, fields

from actors import limits
from actors.errors import TooLarge, Unauthenticated


@dataclass(frozen=True, slots=True)
class Attempt:
    state: str
    """Ties the answer to the browser that asked."""
    nonce: str
    """Ties the ID token to the question."""
    verifier: str
    """Ties the code to the client that asked for it (PKCE, RFC 7636)."""
    return_to: str
    made_at: int

    @property
    def challenge(self) -> str:
        """Of the verifier, by the method S256."""
        return _text(hashlib.sha256(self.verifier.encode()).digest())


def new_attempt(return_to: str, now: float) -> Attempt:
    """Raises `TooLarge` where no cookie could hold it."""
    size = len(json.dumps(return_to))
    if size > limits.RETURN_TO_BYTES:
        raise TooLarge("The address to return to", limits.RETURN_TO_BYTES, size)
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    return Attempt(state, nonce, verifier, return_to, int(now))


class Seal:
    """Makes cookies that only who has the key can make: `<base64url of JSON>.<base64url of HMAC-SHA256>`."""

    def __init__(self, key: bytes, issuer: str, client_id: str) -> None:
        """An attempt at one provider is none at another, though one key seals them.

        Raises `ValueError` for a key that is too short to be one.
        """
        if len(key) < limits.SECRET_BYTES:
            raise ValueError(f"the sealing key must have at least {limits.SECRET_BYTES} bytes, it has {len(key)}")
        shape = [each.name for each in fields(Attempt)]  # so that another version's cookie is refused, not misread
        purpose = json.dumps(["experience-server: attempts to sign in", shape, issuer, client_id])
        self._key = hmac.digest(key, purpose.encode(), "sha256")

    def close(self, attempt: Attempt) -> str:
        body = _text(json.dumps(astuple(attempt), separators=(",", ":")).encode())
        return f"{body}.{self._mark(body)}"

    def open(self, sealed: str | None, now: float) -> Attempt:
        """Raises `Unauthenticated` for what we did not seal, and for what we sealed too long ago."""
        if not sealed:
            raise Unauthenticated("This browser has not started a sign-in, or does not store cookies; start again.")
        body, _, mark = sealed.partition(".")
        if not is_same(mark, self._mark(body)):
            raise Unauthenticated("The cookie of this sign-in was changed; start again.")
        attempt = Attempt(*json.loads(base64.urlsafe_b64decode(f"{body}==")))
        # A cookie from the future is one of a node whose clock is a little ahead.
        if not -limits.TOKEN_LEEWAY_SECONDS <= now - attempt.made_at <= limits.SIGN_IN_ATTEMPT_SECONDS:
            raise Unauthenticated(
                f"Signing in took more than {limits.SIGN_IN_ATTEMPT_SECONDS // 60} minutes; start again."
            )
        return attempt

    def _mark(self, body: str) -> str:
        return _text(hmac.digest(self._key, _bytes(body), "sha256"))


def is_same(came: object, expected: str) -> bool:
    """Whether what came, whatever it is, is the secret text expected; takes as long wherever they differ."""
    return isinstance(came, str) and hmac.compare_digest(_bytes(came), _bytes(expected))


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
