"""Text as people write it: few words all the time, many seldom, and now and then one that nobody has written before.

A filler that repeats hides what new words cost the search index. From a fixed seed: each run writes the same.
"""

import itertools
import random
from collections.abc import Iterator

VOCABULARY = 20_000
NEW_EVERY = 12
"""Words, among which one is new: a name, a number, a slip."""
_SYLLABLES = [first + vowel for first in "bdfghjklmnprstvwz" for vowel in ("a", "e", "i", "o", "u", "ar", "en", "il")]


class Text:
    def __init__(self, seed: int = 7) -> None:
        self._luck = random.Random(seed)
        self._words = [self._word() for _ in range(VOCABULARY)]
        self._weights = list(itertools.accumulate(1 / rank for rank in range(1, VOCABULARY + 1)))

    def _word(self) -> str:
        return "".join(self._luck.choices(_SYLLABLES, k=self._luck.randint(1, 4)))

    def messages(self, characters: int, count: int) -> Iterator[str]:
        """Of about so many characters; made beforehand, as the generator has no time while it measures."""
        for _ in range(count):
            words = self._luck.choices(self._words, cum_weights=self._weights, k=characters // 5)
            new = [self._word() + str(self._luck.randrange(10_000)) for _ in range(len(words) // NEW_EVERY)]
            yield " ".join(words + new)[:characters]
