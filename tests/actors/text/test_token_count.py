"""The estimate of tokens: never less for more text; and texts cut where words end."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.text.token_count import ELLIPSIS, cut, tokens

texts = st.text(st.sampled_from("ab é漢🎉\n\u200dд…x ") | st.characters(), max_size=60)
rooms = st.integers(-3, 40)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0), ("a", 2), ("hello", 2), ("hello world", 3), ("a" * 400, 100), ("x " * 100, 130), (" " * 8, 2),
        ("漢字", 2), ("こんにちは", 5), ("안녕", 2), ("🎉🎉", 2), ("漢字 and words", 5), ("Привет", 3),
        ("é" * 400, 100), ("שלום" * 25, 50), ("a漢b", 4),
    ],
)  # fmt: skip
def test_what_counts(text: str, count: int) -> None:
    assert tokens(text) == count


def test_prose_is_about_right() -> None:
    """English has a good token a word."""
    prose = (
        "The quick brown fox jumps over the lazy dog. A journey of a thousand miles begins with a single step. "
        "To be, or not to be, that is the question. All that glitters is not gold."
    )
    assert 34 < tokens(prose) < 34 * 1.6


@given(texts, texts, st.integers(0, 60))
def test_more_text_never_counts_less(text: str, more: str, place: int) -> None:
    assert tokens(text[:place] + more + text[place:]) >= max(tokens(text), tokens(more))


@given(texts, texts)
def test_together_they_count_no_more_than_apart(one: str, other: str) -> None:
    """So pieces that fit one by one fit together."""
    assert tokens(one + other) <= tokens(one) + tokens(other)


@given(texts, rooms)
def test_what_is_cut_fits(text: str, room: int) -> None:
    shown = cut(text, room)
    assert tokens(shown) <= max(room, 0)
    if shown != text:
        beginning = shown.removesuffix(ELLIPSIS)
        assert text.startswith(beginning)
        assert shown == "" or (beginning and shown.endswith(ELLIPSIS))


@given(texts, rooms, rooms)
def test_more_room_never_shows_less(text: str, one: int, other: int) -> None:
    less, more = (cut(text, room).removesuffix(ELLIPSIS) for room in sorted((one, other)))
    assert len(less) <= len(more)


@given(st.text(st.sampled_from("ab \n"), max_size=60), rooms)
def test_words_stay_whole_where_there_are_any(text: str, room: int) -> None:
    shown = cut(text, room)
    if shown != text and len(words := re.findall(r"\S+", shown.removesuffix(ELLIPSIS))) > 1:
        assert words == re.findall(r"\S+", text)[: len(words)]


@pytest.mark.parametrize(
    ("text", "room", "shown"),
    [
        ("one two three", 99, "one two three"), ("one two three", 3, "one two…"), ("one two three", 0, ""),
        ("one two three", -1, ""), ("漢字漢字漢字", 4, "漢字…"), ("see 漢字漢字漢字", 4, "see 漢…"),
        ("a" * 99, 5, "a" * 18 + "…"), ("Hello " + "a" * 99, 5, "Hello…"), ("one\n\ntwo three four", 3, "one\n\ntwo…"),
    ],
)  # fmt: skip
def test_where_texts_are_cut(text: str, room: int, shown: str) -> None:
    assert cut(text, room) == shown


def test_a_huge_text_is_cut_at_once() -> None:
    text = "word " * 200_000
    assert cut(text, 26) == ("word " * 20).rstrip() + ELLIPSIS
