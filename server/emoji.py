"""One reaction is one emoji: a Unicode emoji, or a `:shortcode:` that stands for one."""

import emoji


def resolve(text: str) -> str:
    """The emoji itself, in its fully-qualified form. Raises `ValueError` for anything that is not exactly one."""
    candidate = text
    if text.startswith(":") and text.endswith(":") and len(text) > 2:
        candidate = emoji.emojize(text, language="alias")
    if not emoji.is_emoji(candidate):
        raise ValueError("expected one emoji, or the :shortcode: of one")
    return emoji.emojize(emoji.demojize(candidate))  # keyboards differ in whether ❤ comes with its variation selector
