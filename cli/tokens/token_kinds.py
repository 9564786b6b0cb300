"""The kinds of tokens that a user may pass, distinguished by their prefix."""

from typing import Final, Literal

from actors.resources.api_keys import API_KEY_PREFIX
from cli.terminal import stdin

Kind = Literal["api_key", "refresh_token", "sign_in_link", "jwt", "other"]

TRADED: Final = {"refresh_token": "refresh token", "sign_in_link": "sign-in link"}
"""Single-use secrets that are only exchanged for tokens."""


def given(text: str) -> str:
    """As it is typed, copied from a header, or read from stdin: so it need not stand in the shell's history."""
    if text == "-":
        text = stdin.read_text()
    return text.strip().removeprefix("Bearer ").strip()


def kind_of(text: str) -> Kind:
    from server.auth.issued_secrets import LINK_PREFIX, REFRESH_PREFIX

    if text.startswith(API_KEY_PREFIX):
        return "api_key"
    if text.startswith(REFRESH_PREFIX):
        return "refresh_token"
    if text.startswith(LINK_PREFIX):
        return "sign_in_link"
    return "jwt" if text.startswith("eyJ") else "other"  # `{"` in base64
