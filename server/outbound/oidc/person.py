"""Who signed in, as the provider tells it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from actors import limits

HOSTED_DOMAIN_CHARS = 255
_UNSTORABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class OidcPerson:
    issuer: str
    subject: str
    """Who they are: never another's at this issuer, and theirs whatever else changes."""
    email: str
    """Empty where the provider names none."""
    email_verified: bool
    """An address that is not may be anybody's."""
    name: str
    picture: str | None
    hosted_domain: str
    """Google's `hd`: the organisation that an account belongs to; empty for private accounts and elsewhere."""


def person_of(issuer: str, claims: Mapping[str, Any], userinfo: Mapping[str, Any]) -> OidcPerson:
    """From a good ID token's claims, and from `userinfo` what it leaves out.

    Beside the subject nothing is worth a refusal: what is odd or too long is left out.
    """
    about_email = claims if claims.get("email") else userinfo  # one of the two speaks for the address and for its state
    is_verified = about_email.get("email_verified")
    email = _line(about_email.get("email"), limits.EMAIL_CHARS)
    picture = _line(claims.get("picture") or userinfo.get("picture"), limits.URL_CHARS)
    return OidcPerson(
        issuer=issuer,
        subject=claims["sub"],
        email=email,
        email_verified=bool(email) and (is_verified is True or is_verified == "true"),  # some send text
        name=_name(claims.get("name") or userinfo.get("name")),
        picture=picture if picture.startswith(("https://", "http://")) else None,
        hosted_domain=_line(claims.get("hd"), HOSTED_DOMAIN_CHARS),
    )


def _line(value: Any, most: int) -> str:
    return value if isinstance(value, str) and len(value) <= most and value.isprintable() else ""


def _name(value: Any) -> str:
    """Names have joiners and wide spaces in them; a long one is better than none."""
    return " ".join(_UNSTORABLE.sub(" ", value).split())[: limits.NAME_CHARS] if isinstance(value, str) else ""
