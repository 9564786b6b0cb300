"""Passwords that are guessed first: those that leaked most often, and what is made of two of them."""

from functools import cache
from itertools import islice

from actors import limits


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
    """Read when the first password is set: the lists of zxcvbn take a quarter of a second."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(islice(FREQUENCY_LISTS["passwords"], limits.PASSWORDS_COMMON))
