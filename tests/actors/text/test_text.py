"""Text is normalised in time that grows with its size and no faster."""

import time
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors import limits
from actors.text.email_address import is_address
from actors.text.normal import composed, stream_safe, taken_apart

HOSTILE = {
    "marks in the wrong order": "\u0301\u0327" * 62_000,
    "marks on a letter": "a" + "\u0301\u0327" * 62_000,
    "marks that are none until they are taken apart": "\u0f73\u0301" * 62_000,
    "half-width marks among others": "\uff9e\u0327\u0301" * 41_000,
    "a run of the longest that is kept, again and again": ("a" + "\u0301\u0327" * 15) * 4_000,
    "a run that is too long, again and again": ("a" + "\u0301\u0327" * 16) * 4_000,
    "marks of several planes": "\u0345\U00016af0\u3099\ufe20" * 31_000,
    "letters that many marks come of": "\u1fa7\ufdfa" * 31_000,
}


@pytest.mark.parametrize("form", [composed, taken_apart])
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_text_takes_long(text: str, form: object) -> None:
    assert callable(form)
    started = time.process_time()
    form(text)
    assert time.process_time() - started < 0.5  # seconds, where the quadratic way takes ten


def test_only_what_no_language_writes_is_cut() -> None:
    kept = "e" + "\u0301" * limits.MARKS_IN_A_ROW
    assert stream_safe(kept) == kept
    assert stream_safe(kept + "\u0301\u0327é") == kept + "é"
    assert stream_safe("x" * 40 + kept + "\u0327" * 99 + "y" * 40) == "x" * 40 + kept + "y" * 40


@given(st.text(st.sampled_from("ab\u0301\u0327\u093c\uff9e")))
def test_no_run_is_left_that_is_too_long(text: str) -> None:
    safe, run = stream_safe(text * 8), 0
    for character in safe:
        run = run + 1 if all(map(unicodedata.combining, unicodedata.normalize("NFKD", character))) else 0
        assert run <= limits.MARKS_IN_A_ROW


@given(st.text())
def test_what_people_write_is_normalised_as_unicode_says(text: str) -> None:
    assert composed(text) == unicodedata.normalize("NFC", text)
    assert taken_apart(text) == unicodedata.normalize("NFKD", text)


def test_an_address_whose_marks_would_be_cut_is_none() -> None:
    assert is_address("a" + "\u0301" * limits.MARKS_IN_A_ROW + "@x.io")
    assert not is_address("a" + "\u0301" * limits.MARKS_IN_A_ROW + "\u0327@x.io")


def test_text_is_normalised_in_one_place() -> None:
    """Elsewhere somebody would forget to cut the runs first. Names of files are short, and preview workers, which know
    them too, import nothing of the core."""
    root = Path(__file__).parents[3]
    found = [
        path.relative_to(root).as_posix()
        for folder in ("actors", "storage", "server", "cli")
        for path in (root / folder).rglob("*.py")
        if "normalize(" in path.read_text()
    ]
    assert found == ["actors/text/normal.py", "server/files/names.py"]
