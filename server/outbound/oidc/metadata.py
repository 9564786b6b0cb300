"""What a provider says of itself (OpenID Connect Discovery 1.0, RFC 8414)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from actors import limits
from server.outbound.jwks import _is_safe as is_safe

_PRINTABLE = re.compile(rf"[\x21-\x7e]{{1,{limits.URL_CHARS}}}")


@dataclass(frozen=True, slots=True)
class Metadata:
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    takes_secret_in_form_only: bool
    """Wants `client_secret_post`; all others take `client_secret_basic`, which RFC 6749 2.3.1 prefers."""
    names_itself_to_browsers: bool
    """Every answer by way of the browser has an `iss` (RFC 9207)."""


def address(issuer: str) -> str:
    """Where an issuer's metadata are."""
    return issuer.removesuffix("/") + "/.well-known/openid-configuration"


def read(document: Mapping[str, Any], issuer: str) -> Metadata:
    """Raises `ValueError` with a phrase that says what is wrong with it."""
    if document.get("issuer") != issuer:
        raise ValueError("its `issuer` is not the configured one")
    names_userinfo = document.get("userinfo_endpoint") is not None
    return Metadata(
        authorization_endpoint=_endpoint(document, "authorization_endpoint", issuer),
        token_endpoint=_endpoint(document, "token_endpoint", issuer),
        jwks_uri=_endpoint(document, "jwks_uri", issuer),
        userinfo_endpoint=_endpoint(document, "userinfo_endpoint", issuer) if names_userinfo else None,
        takes_secret_in_form_only=_takes_secret_in_form_only(document.get("token_endpoint_auth_methods_supported")),
        names_itself_to_browsers=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _endpoint(document: Mapping[str, Any], name: str, issuer: str) -> str:
    url = document.get(name)
    if not isinstance(url, str) or not _PRINTABLE.fullmatch(url) or "#" in url or not _is_as_safe(url, issuer):
        raise ValueError(f"its `{name}` is not an https URL")
    return url


def _is_as_safe(url: str, issuer: str) -> bool:
    """https everywhere; where the issuer itself is plain http on loopback, its endpoints may be that, too."""
    try:
        return is_safe(url) and (urlsplit(url).scheme == "https" or urlsplit(issuer).scheme == "http")
    except ValueError:
        return False


def _takes_secret_in_form_only(methods: Any) -> bool:
    return isinstance(methods, list) and "client_secret_post" in methods and "client_secret_basic" not in methods
