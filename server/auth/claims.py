"""Claims, one by one: each is an untyped JSON value until it was read here, by its type and never by its truth.

Of tokens, ID tokens and userinfo. Everything raises `Unauthenticated` with a sentence that names the claim; `of` is
what the claims were found in.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from actors import limits
from actors.errors import Unauthenticated
from actors.text.email_address import is_address
from actors.text.normal import line

T = TypeVar("T")
Claims = Mapping[str, Any]

TOKEN = "token"  # noqa: S105 - a word of a sentence
ID_TOKEN = "ID token"  # noqa: S105
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # JSON can spell half of a surrogate pair, UTF-8 cannot


def subject(claims: Claims, of: str = TOKEN) -> str:
    found = claims.get("sub")
    if not (
        isinstance(found, str) and 0 < len(found) <= limits.SUBJECT_CHARS and found.isprintable() and found.strip()
    ):
        raise Unauthenticated(f"The {of}'s `sub` must be 1 to {limits.SUBJECT_CHARS} printable characters.")
    return found


def text(claims: Claims, claim: str, most: int) -> str:
    """Empty where the claim is absent or null."""
    found = "" if claims.get(claim) is None else claims[claim]
    if not isinstance(found, str) or len(found) > most or _UNSTORABLE.search(found):
        raise Unauthenticated(f"The token's `{claim}` must be text of at most {most} characters.")
    return found


def name(claims: Claims) -> str:
    return shown_name(text(claims, "name", limits.NAME_CHARS))


def shown_name(found: str) -> str:
    """What a name can keep: one line, without controls; empty where nothing of it would be seen."""
    return line(found)[: limits.NAME_CHARS]


def moment(claims: Claims, claim: str, of: str = TOKEN) -> float | None:
    """Seconds since 1970; None where the claim is absent."""
    if claim not in claims:
        return None
    found = claims[claim]
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found < 2**53:
        raise Unauthenticated(f"The {of}'s `{claim}` must be seconds since 1970.")
    return found


def audiences(claims: Claims) -> tuple[str, ...]:
    """Of `aud`, which is a text or a list of texts (RFC 7519, 4.1.3); anything else matches nothing."""
    found = claims.get("aud")
    return tuple(each for each in (found if isinstance(found, list) else [found]) if isinstance(each, str))


def issuer(claims: Claims) -> str:
    """Empty where it is not named, or by what no issuer is called."""
    found = claims.get("iss")
    return found if isinstance(found, str) and len(found) <= limits.URL_CHARS and found.isprintable() else ""


def email(claims: Claims) -> str:
    """The address; empty where there is none, or where it is not one mailbox's."""
    found = text(claims, "email", limits.EMAIL_CHARS)
    return found if is_address(found) else ""


def says_verified(claims: Claims) -> bool | None:
    """What the issuer says of the address: only `true` and `"true"` (some send text) are a yes, everything else that
    stands there is a no. None where it says nothing."""
    if "email_verified" not in claims:
        return None
    found = claims["email_verified"]
    return found is True or (isinstance(found, str) and found == "true")


def one_of(choices: Sequence[T], given: object) -> T | None:
    """The choice that was given; None for anything else."""
    return next((choice for choice in choices if choice == given), None)
