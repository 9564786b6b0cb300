"""The query of a user as an FTS5 expression in which none of its text is syntax.

Words must all be there; "several words" in a row; -word must not be there; begin* finds its continuations. Whatever
else FTS5 would understand (AND, OR, NEAR, columns, brackets) is text.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from actors import limits
from actors.errors import ValidationFailed
from actors.text.folding import fold
from storage.search import documents
from storage.search.searched import everything

_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»\uff02", '"'))
_TERM = re.compile(r'(?P<no>-)?(?:"(?P<phrase>[^"]*)(?:"|$)|(?P<word>[^\s"]+))')
_WORD = re.compile(r"\w+")
_LAST_WORD = re.compile(r"\w+(?=\W*$)")


@dataclass(frozen=True, slots=True)
class Terms:
    """Each is a phrase of FTS5 (https://www.sqlite.org/fts5.html#fts5_phrases)."""

    wanted: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()

    @property
    def any_wanted(self) -> str:
        """Expression for marking them in a text."""
        return " OR ".join(self.wanted)


def parse(text: str | None) -> Terms:
    """Raises `ValidationFailed` where there is nothing in it to search for, or too much."""
    if text is None:
        return Terms()
    terms = list(_terms(text))
    if not terms:
        raise ValidationFailed({"q": ["has nothing to search for: give a letter, a digit or an emoji."]})
    if len(terms) > limits.SEARCH_TERMS:
        raise ValidationFailed(
            {"q": [f"may have at most {limits.SEARCH_TERMS} words and phrases, it has {len(terms)}."]}
        )
    terms = list(dict.fromkeys(terms))
    return Terms(
        tuple(phrase for phrase, is_wanted in terms if is_wanted),
        tuple(phrase for phrase, is_wanted in terms if not is_wanted),
    )


def _terms(text: str) -> Iterator[tuple[str, bool]]:
    """(phrase, whether it is wanted)."""
    left = limits.SEARCH_WORDS
    for match in _TERM.finditer(text.replace("\x00", " ").translate(_QUOTES)):
        typed = match["word"] or match["phrase"] or ""
        folded, left = _some_words(fold(typed.rstrip("*")), left)
        if any(character.isalnum() for character in folded):
            star = " *" if match["word"] and typed.endswith("*") and _is_beginning(folded) else ""
            yield f'"{folded}"{star}', match["no"] is None


def _some_words(folded: str, left: int) -> tuple[str, int]:
    """Of a phrase, the first so many; and how many more there may be."""
    ends = [match.end() for match, _ in zip(_WORD.finditer(folded), range(left + 1), strict=False)]
    if len(ends) <= left:
        return folded, left - len(ends)
    return folded[: ends[left - 1] if left else 0], 0


def _is_beginning(folded: str) -> bool:
    """Not where each character is a word."""
    last = _LAST_WORD.search(folded)
    if last is None or folded.endswith(" "):
        return False
    if len(last[0]) < limits.SEARCH_PREFIX_CHARS:
        raise ValidationFailed({"q": [f"a beginning* needs at least {limits.SEARCH_PREFIX_CHARS} letters."]})
    return True


def expression(terms: Terms, tags: Sequence[Sequence[str]]) -> str:
    """Documents with all that is wanted, nothing that is not, and one tag of each group."""
    parts = [f"tags : ({' OR '.join(_quoted(tag) for tag in group)})" for group in tags]
    if terms.wanted:
        parts.append(f"text : ({' AND '.join(terms.wanted)})")
    if not parts:
        kinds = (documents.MESSAGE, *(searched.tag for searched in everything()))
        parts = [f"tags : ({' OR '.join(map(_quoted, kinds))})"]
    positive = " AND ".join(f"({part})" for part in parts)
    return f"({positive}) NOT (text : ({' OR '.join(terms.unwanted)}))" if terms.unwanted else positive


def _quoted(tag: str) -> str:
    return f'"{tag}"'
