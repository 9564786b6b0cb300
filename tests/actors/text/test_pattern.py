"""Patterns of inputs: what Python's own expressions match, and never more than linear time."""

import re
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors import limits
from actors.text.pattern import PatternProblem, compiled

_ATOMS = ["a", "b", ".", "[ab]", "[^a]", "[a-c]", r"\d", r"\w", r"\.", "(?:ab|c)", "(a|)", "()"]
_TIMES = ["", "", "?", "*", "+", "{2}", "{0,2}", "{1,}", "{2,3}", "{0}"]
_PIECES = [*(atom + times for atom in _ATOMS for times in _TIMES), "|", "|"]
_patterns = st.lists(st.sampled_from(_PIECES), max_size=6).map("".join)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(_patterns, st.text("abc1.\n", max_size=8))
def test_it_is_what_pythons_expressions_match(source: str, text: str) -> None:
    assert compiled(source).matches(text) == (re.fullmatch(source, text) is not None)


@pytest.mark.parametrize(
    ("source", "good", "bad"),
    [
        (r"^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$", "DE89370400440532013000", "DE8937"),
        (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "123e4567-e89b-12d3-a456-426614174000", "123e4567"),
        (r"(19|20)\d\d-(0[1-9]|1[0-2])", "2026-11", "2026-13"),
        (r"[^\]\\-]+", "abc", "a]"),
        (r"[-a\]]+", "-]a", "b"),
        (r"\$\d+\$", "$5$", "$5"),
        (r"a\$", "a$", "a"),
        (r"[\w.+-]+@[\w-]+(\.[\w-]+)+", "a.b+c@d-e.org", "a@b"),
        ("", "", "a"),
    ],
)
def test_what_forms_ask_for(source: str, good: str, bad: str) -> None:
    assert compiled(source).matches(good)
    assert not compiled(source).matches(bad)


@pytest.mark.parametrize(
    "source",
    ["(a+)+b", "(a|a)*b", "(a|aa)+b", "(.*)*b", "([a-z]+)*b", "(a?){45}a{45}", "(.*a){20}b", "(a|b|ab)*c"],
)
def test_what_backtracks_for_ages_elsewhere(source: str) -> None:
    begun = time.monotonic()
    assert not compiled(source).matches("a" * limits.INPUT_CHARS)
    assert time.monotonic() - begun < 1


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("(a", "ends too early"),
        ("a)", "without its `\\("),
        ("[a", "ends too early"),
        ("*a", "follows nothing"),
        ("a**", "after another repetition"),
        ("a{3,2}", "more times at least than at most"),
        ("a{x}", "without numbers"),
        (r"(a)\1", "not known here"),
        ("(?=a)", "looking around"),
        ("a^b", "within the pattern"),
        ("[z-a]", "back to `a`"),
        ("a{101}", "at most 100 places"),
        ("((a{50}){50}){50}", "at most 100 places"),
        ("(((){999}){999}){999}", "at most 100 places"),
        ("(" * 40 + ")" * 40, "groups more than 32 deep"),
        ("a" * 256, "at most 255 characters, this has 256"),
        ("\\", "ends too early"),
    ],
)
def test_what_is_no_pattern(source: str, what: str) -> None:
    with pytest.raises(PatternProblem, match=what):
        compiled(source)
