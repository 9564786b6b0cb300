"""One reaction is one emoji: a Unicode emoji, or a `:shortcode:` that stands for one."""

from functools import cache
from typing import Final

import emoji

_PRESENTATION: Final = str.maketrans("", "", "\ufe0e\ufe0f")
"""Variation selectors: show it as text, as a picture. Keyboards differ in whether they send them, and where."""


def resolve(text: str) -> str:
    """The emoji itself, in its fully-qualified form. Raises `ValueError` for anything that is not exactly one."""
    candidate = text
    if text.startswith(":") and text.endswith(":") and len(text) > 2:
        candidate = emoji.emojize(text, language="alias")
    found = _qualified().get(candidate.translate(_PRESENTATION))
    if found is None:
        raise ValueError("expected one emoji, or the :shortcode: of one")
    return found


@cache
def _qualified() -> dict[str, str]:
    """Each emoji without its variation selectors → as Unicode recommends to write it."""
    best: dict[str, str] = {}
    for each in sorted(emoji.EMOJI_DATA, key=lambda each: -int(emoji.EMOJI_DATA[each]["status"])):
        best[each.translate(_PRESENTATION)] = each  # the fully-qualified comes after all lesser forms
    return best
