"""Links in mails: what they allow is signed, so that it needs no sign-in, and works from any device."""

import hmac
import time
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlencode

import jwt

from server.auth.hs256 import signed

Purpose = Literal["confirm", "unsubscribe"]


@dataclass(frozen=True, slots=True)
class Linked:
    user_id: str
    address: str


class MailLinks:
    def __init__(self, own_key: bytes, public_url: str) -> None:
        self._key = hmac.digest(own_key, b"experience-server: links in mails", "sha256")
        self.public_url = public_url.rstrip("/")

    def link(self, purpose: Purpose, user_id: str, address: str, seconds: int | None = None) -> str:
        """`seconds`: for how long it is good; None: always."""
        claims: dict[str, object] = {"aud": purpose, "sub": user_id, "email": address}
        if seconds is not None:
            claims["exp"] = int(time.time()) + seconds
        return f"{self.public_url}/mail/{purpose}?{urlencode({'token': signed(self._key, claims)})}"

    def read(self, purpose: Purpose, token: str) -> Linked | None:
        """None: it is not of ours, is for something else, or has expired."""
        try:
            claims = jwt.decode(token, self._key, algorithms=["HS256"], audience=purpose)
        except jwt.InvalidTokenError:
            return None
        return Linked(str(claims["sub"]), str(claims["email"]))
