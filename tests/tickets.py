"""Tokens that open one live channel to one person."""

import time
from typing import Any

import jwt

from tests.serving import Client
from tests.tokens import SECRET


def ticket(who: Client, channel: str, seconds: int | None = 60, **more: Any) -> str:
    claims: dict[str, Any] = {"sub": f"sub-{who.name}", "channel": channel, **more}
    if seconds is not None:
        claims["exp"] = time.time() + seconds
    return jwt.encode(claims, SECRET, algorithm="HS256")
