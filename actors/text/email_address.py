"""E-mail addresses: which text is one, and when two are the same."""

import re

from actors.text.normal import composed, stream_safe

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")
_ASCII_ONLY_TO_UNICODE = re.compile("([\u212a\u037e\u1fef])")
"""Kelvin sign, Greek question mark, varia: normalised they become `K`, `;` and a grave accent."""


def is_address(text: str) -> bool:
    """Whether it names one mailbox: printable, without spaces, with one `@`, and without marks that would be cut: two
    addresses would become one. Whether mail arrives is another matter."""
    return text.isprintable() and stream_safe(text) == text and _ADDRESS.fullmatch(text) is not None


def folded(address: str) -> str:
    """As addresses are stored and compared: in lower case and composed (NFC, RFC 6532 3.1).

    No character outside of ASCII ever becomes one of ASCII: to a mail server they are two mailboxes, and who owns the
    one must not sign in as the other.
    """
    if address.isascii():
        return address.lower()
    parts = _ASCII_ONLY_TO_UNICODE.split(address)
    return "".join(part if index % 2 else _composed(part) for index, part in enumerate(parts))


def domain_of(address: str) -> str:
    """What stands behind the `@`; empty where there is none. A second `@` stays in it, and makes it no domain."""
    return address.partition("@")[2]


def _composed(text: str) -> str:
    return composed(composed(text).lower())
