"""Passwords that are guessed first: those that leaked most often, and what is made of two of them."""

from functools import cache
from importlib import resources


def is_common(password: str) -> bool:
    """Whether it is one of the most frequent passwords, two of them one after the other, or one again and again.
    Capitals make no difference."""
    text = password.casefold()
    words = _words()
    if text in words or any(text[:at] in words and text[at:] in words for at in range(1, len(text))):
        return True
    period = (text + text).find(text, 1)
    return period < len(text) and (text[:period] in words or len(set(text)) == 1)


@cache
def _words() -> frozenset[str]:
    """Read when the first password is set: 10,000 words."""
    return frozenset((resources.files(__name__) / "words.txt").read_text().split())
