"""Who signed in, as the provider tells it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from actors import limits
from actors.text.email_address import folded, is_address
from server.auth import claims

GOOGLE = frozenset({"https://accounts.google.com", "accounts.google.com"})
"""Who may say which Google Workspace an account belongs to (`hd`); from others the claim means nothing."""


@dataclass(frozen=True, slots=True)
class OidcPerson:
    issuer: str
    subject: str
    """Who they are: never another's at this issuer, and theirs whatever else changes."""
    email: str
    """Empty where the provider names none."""
    email_verified: bool
    """An address that is not may be another person's."""
    name: str
    picture: str | None
    hosted_domain: str
    """Google's `hd`: the organisation that an account belongs to; empty for private accounts and other issuers."""


def needs_userinfo(found: Mapping[str, Any]) -> bool:
    """Whether an ID token leaves open which address is theirs, or whether it is verified."""
    return not _address(found) or claims.says_verified(found) is None


def person_of(
    issuer: str, found: Mapping[str, Any], userinfo: Mapping[str, Any], *, trusts_addresses: bool = False
) -> OidcPerson:
    """From a good ID token's claims, and from `userinfo` what it leaves out. `trusts_addresses`: an address counts as
    verified also where the provider says nothing of it.

    Beside the subject nothing is worth a refusal: what is odd or too long is left out.
    """
    email, says_verified = _email(found, userinfo)
    picture = _line(found.get("picture"), limits.URL_CHARS) or _line(userinfo.get("picture"), limits.URL_CHARS)
    return OidcPerson(
        issuer=issuer,
        subject=found["sub"],
        email=email,
        email_verified=bool(email) and (trusts_addresses if says_verified is None else says_verified),
        name=_name(found.get("name")) or _name(userinfo.get("name")),
        picture=picture if picture.startswith(("https://", "http://")) else None,
        hosted_domain=_line(found.get("hd"), limits.HOSTED_DOMAIN_CHARS) if issuer in GOOGLE else "",
    )


def _email(found: Mapping[str, Any], userinfo: Mapping[str, Any]) -> tuple[str, bool | None]:
    """An address, and what is said of it: what one of the two says of another address says nothing of this one."""
    email, there = _address(found), _address(userinfo)
    if not email:
        return there, claims.says_verified(userinfo)
    says_verified = claims.says_verified(found)
    if says_verified is None and folded(email) == folded(there):
        says_verified = claims.says_verified(userinfo)
    return email, says_verified


def _address(found: Mapping[str, Any]) -> str:
    email = _line(found.get("email"), limits.EMAIL_CHARS)
    return email if is_address(email) else ""


def _line(value: Any, most: int) -> str:
    return value if isinstance(value, str) and len(value) <= most and value.isprintable() else ""


def _name(value: Any) -> str:
    """A long one is better than none."""
    return claims.shown_name(value) if isinstance(value, str) else ""
