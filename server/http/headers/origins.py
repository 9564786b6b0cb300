"""Origins as browsers spell them: in lower case, without a path and without the scheme's own port, names in ASCII."""

import ipaddress
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}


def origin_of(text: str) -> str:
    """`HTTPS://Bücher.example:443/` → `https://xn--bcher-kva.example`. Raises `ValueError` for what is none."""
    parts = urlsplit(text.strip())
    if parts.scheme not in _PORTS or parts.username is not None or parts.path not in ("", "/"):
        raise ValueError(f"{text!r} cannot be the origin of a page")
    if parts.query or parts.fragment or "?" in text or "#" in text:
        raise ValueError(f"{text!r} has more than scheme, host and port")
    port = parts.port  # raises ValueError for one that is none
    host = _host(parts.hostname or "")
    return f"{parts.scheme}://{host}" if port in (None, _PORTS[parts.scheme]) else f"{parts.scheme}://{host}:{port}"


def _host(name: str) -> str:
    if ":" in name:
        return f"[{ipaddress.IPv6Address(name).compressed}]"
    ascii_name = name if name.isascii() else name.encode("idna").decode()
    if not ascii_name or set(ascii_name) - _OF_NAMES or ".." in ascii_name or ascii_name.startswith("."):
        raise ValueError(f"{name!r} is not a host name")
    return ascii_name.lower()


_OF_NAMES = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._")
