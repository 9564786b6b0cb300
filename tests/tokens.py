"""Tokens that a server of tests takes, made without importing the server."""

import time
from typing import Any

import jwt

from server.auth.token_minting import mint

SECRET = b"a secret that is only good for tests, and long enough"
DOMAIN = "rpotential.ai"


def token(name: str, /, **claims: Any) -> str:
    """A good token of somebody: `token("alice")`, `token("root", role="ADMIN")`."""
    known = {"sub": f"sub-{name}", "email": f"{name}@{DOMAIN}", "name": name.title(), "domain": DOMAIN}
    return mint(SECRET, **{**known, "ttl_seconds": 900, "now": time.time(), **claims})


def token_saying(**claims: Any) -> str:
    """A token with these claims, whatever they are; with `exp` where they leave it out."""
    return jwt.encode({"exp": int(time.time()) + 900, **claims}, SECRET, algorithm="HS256")
