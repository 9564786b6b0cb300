"""Patterns of inputs, matched in linear time: a regular expression becomes an automaton (Glushkov's), not a search.

Each character of a text costs at most one step for each place of the pattern. There are literals, `.`, classes
(`[a-z]`, `[^"]`, `\\d \\w \\s` and their opposites, ASCII as in JavaScript), groups, `|`, `?`, `*`, `+` and `{n,m}`.
A pattern is that of the whole text, so `^` and `$` at its ends say nothing more. There are no references and no
looking around.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from actors import limits

Test = Callable[[str], bool]


class PatternProblem(ValueError):
    """What is wrong with a pattern, in a sentence."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of the automaton; sets of places are bits of a number."""

    is_empty_too: bool
    first: int = 0
    last: int = 0


_NOTHING: Final = _Part(True)


class Pattern:
    def __init__(self, tests: list[Test], follow: list[int], whole: _Part) -> None:
        self._tests = tests
        self._follow = follow
        self._whole = whole
        self._accepting: dict[str, int] = {}
        self._following: dict[int, int] = {}

    def matches(self, text: str) -> bool:
        if not text:
            return self._whole.is_empty_too
        here = self._whole.first
        for place, char in enumerate(text):
            if place:
                here = self._after(here)
            here &= self._accepts(char)
            if not here:
                return False
        return bool(here & self._whole.last)

    def _accepts(self, char: str) -> int:
        """The places that take it."""
        found = self._accepting.get(char)
        if found is None:
            found = sum(1 << place for place, test in enumerate(self._tests) if test(char))
            if len(self._accepting) < limits.PATTERN_STATES:
                self._accepting[char] = found
        return found

    def _after(self, places: int) -> int:
        found = self._following.get(places)
        if found is None:
            found, left = 0, places
            while left:
                lowest = left & -left
                found |= self._follow[lowest.bit_length() - 1]
                left ^= lowest
            if len(self._following) < limits.PATTERN_STATES:
                self._following[places] = found
        return found


@lru_cache(256)
def compiled(source: str) -> Pattern:
    """Raises `PatternProblem`."""
    return _Parser(source).pattern()


class _Parser:
    """By recursive descent; what is repeated is parsed again, so that each place is one of its own."""

    def __init__(self, source: str) -> None:
        if len(source) > limits.PATTERN_CHARS:
            raise PatternProblem(f"may have at most {limits.PATTERN_CHARS} characters, this has {len(source)}")
        self._source = source
        self._at = 0
        self._end = len(source)
        self._depth = 0
        self._atoms = 0
        """Also empty groups, which have no place."""
        self._tests: list[Test] = []
        self._follow: list[int] = []

    def pattern(self) -> Pattern:
        if self._source.startswith("^"):
            self._at = 1
        escapes = self._end - 1 - len(self._source[:-1].rstrip("\\"))
        if self._source.endswith("$") and escapes % 2 == 0:
            self._end -= 1
        whole = self._alternatives()
        if self._at < self._end:
            raise self._problem("a `)` without its `(`")
        return Pattern(self._tests, self._follow, whole)

    def _problem(self, what: str) -> PatternProblem:
        return PatternProblem(f"{what}, at character {self._at + 1} of the pattern")

    def _next(self) -> str:
        return self._source[self._at] if self._at < self._end else ""

    def _take(self) -> str:
        char = self._next()
        if not char:
            raise self._problem("the pattern ends too early")
        self._at += 1
        return char

    def _alternatives(self) -> _Part:
        whole = self._sequence()
        while self._next() == "|":
            self._at += 1
            other = self._sequence()
            whole = _Part(whole.is_empty_too or other.is_empty_too, whole.first | other.first, whole.last | other.last)
        return whole

    def _sequence(self) -> _Part:
        whole = _NOTHING
        while self._next() not in ("", "|", ")"):
            whole = self._joined(whole, self._repeated())
        return whole

    def _joined(self, one: _Part, two: _Part) -> _Part:
        self._link(one.last, two.first)
        return _Part(
            one.is_empty_too and two.is_empty_too,
            one.first | (two.first if one.is_empty_too else 0),
            two.last | (one.last if two.is_empty_too else 0),
        )

    def _link(self, places: int, following: int) -> None:
        while places:
            lowest = places & -places
            self._follow[lowest.bit_length() - 1] |= following
            places ^= lowest

    def _repeated(self) -> _Part:
        begin = self._at
        part = self._atom()
        end = self._at
        least, most = self._times()
        copies = [part, *(self._again(begin, end) for _ in range(max(least, most or 1) - 1))]
        if most is None:
            self._link(copies[-1].last, copies[-1].first)
        whole = _NOTHING
        for number, copy in enumerate(copies if most != 0 else ()):
            is_optional = number >= least or copy.is_empty_too
            whole = self._joined(whole, _Part(is_optional, copy.first, copy.last))
        return whole

    def _again(self, begin: int, end: int) -> _Part:
        after, self._at = self._at, begin
        copy = self._atom()
        assert self._at == end
        self._at = after
        return copy

    def _times(self) -> tuple[int, int | None]:
        char = self._next()
        simple: dict[str, tuple[int, int | None]] = {"?": (0, 1), "*": (0, None), "+": (1, None)}
        if char in simple:
            self._at += 1
            times = simple[char]
        elif char == "{":
            times = self._counted()
        else:
            return 1, 1
        if self._next() and self._next() in "?*+{":
            raise self._problem(f"`{self._next()}` after another repetition")
        return times

    def _counted(self) -> tuple[int, int | None]:
        """`{2}`, `{2,}` and `{2,5}`."""
        close = self._source.find("}", self._at, self._end)
        least, comma, most = self._source[self._at + 1 : close].partition(",")
        if close < 0 or not _is_count(least) or not (most == "" or _is_count(most)):
            raise self._problem("a `{` without numbers and `}`")
        self._at = close + 1
        low = int(least)
        high = low if not comma else int(most) if most else None
        if high is not None and high < low:
            raise self._problem("more times at least than at most")
        return low, high

    def _atom(self) -> _Part:
        self._atoms += 1
        if self._atoms > 4 * limits.PATTERN_PLACES:
            raise _too_many_places()
        char = self._take()
        match char:
            case "(":
                return self._group()
            case "[":
                return self._place(self._class())
            case ".":
                return self._place(lambda found: found != "\n")
            case "\\":
                return self._place(self._escaped())
            case "?" | "*" | "+" | "{" | ")":
                raise self._problem(f"a `{char}` that follows nothing")
            case "^" | "$":
                raise self._problem(f"a `{char}` within the pattern")
        return self._place(lambda found: found == char)

    def _group(self) -> _Part:
        if self._next() == "?":
            self._at += 1
            if self._take() != ":":
                raise self._problem("looking around, or a name of a group; only `(?:…)` is known")
        self._depth += 1
        if self._depth > limits.JSON_DEPTH:
            raise self._problem(f"groups more than {limits.JSON_DEPTH} deep")
        inner = self._alternatives()
        self._depth -= 1
        if self._take() != ")":
            raise self._problem("a `(` without its `)`")
        return inner

    def _place(self, test: Test) -> _Part:
        if len(self._tests) >= limits.PATTERN_PLACES:
            raise _too_many_places()
        bit = 1 << len(self._tests)
        self._tests.append(test)
        self._follow.append(0)
        return _Part(False, bit, bit)

    def _escaped(self) -> Test:
        char = self._take()
        if char in _SHORT:
            return _SHORT[char]
        if char in _CONTROL:
            return lambda found: found == _CONTROL[char]
        if char.isalnum():
            raise self._problem(f"`\\{char}`, which is not known here")
        return lambda found: found == char

    def _class(self) -> Test:
        is_negated = self._next() == "^"
        self._at += is_negated
        tests: list[Test] = []
        while (char := self._take()) != "]" or not tests:
            tests.append(self._of_class(char))
        return lambda found: any(test(found) for test in tests) != is_negated

    def _of_class(self, char: str) -> Test:
        if char == "\\":
            escaped = self._next()
            test = self._escaped()
            if escaped in _SHORT:
                return test
            char = _CONTROL.get(escaped, escaped)
        if self._next() != "-" or self._source[self._at + 1 : self._at + 2] in ("]", ""):
            return lambda found: found == char
        self._at += 1
        end = self._take()
        if end == "\\":
            end = self._take()
        if end < char:
            raise self._problem(f"a range from `{char}` back to `{end}`")
        return lambda found: char <= found <= end


def _too_many_places() -> PatternProblem:
    return PatternProblem(f"may have at most {limits.PATTERN_PLACES} places, repetitions counted")


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 4


def _is_digit(char: str) -> bool:
    return "0" <= char <= "9"


def _is_word(char: str) -> bool:
    return char.isascii() and (char.isalnum() or char == "_")


_SHORT: Final[dict[str, Test]] = {
    "d": _is_digit,
    "D": lambda char: not _is_digit(char),
    "w": _is_word,
    "W": lambda char: not _is_word(char),
    "s": str.isspace,
    "S": lambda char: not char.isspace(),
}
_CONTROL: Final = {"n": "\n", "t": "\t", "r": "\r"}
