"""What is shown of a text: the part with most of what was searched for, in pieces."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors import limits
from actors.resources.search import Piece
from actors.text.folding import fold
from actors.text.normal import composed
from storage.search.documents import Document
from storage.search.small_index import SmallIndex
from storage.search.snippets import snippet
from storage.search.terms import parse


def shown(text: str, query: str) -> str:
    whole = composed(text)
    with SmallIndex([Document(1, fold(whole), "")]) as index:
        hits = index.hits(parse(query).any_wanted).get(1, ())
    return "".join(f"[{piece.text}]" if piece.hit else piece.text for piece in snippet(whole, hits))


@pytest.mark.parametrize(
    ("text", "query", "expected"),
    [
        ("The quick brown fox", "quick", "The [quick] brown fox"),
        ("The quick brown fox", '"quick brown"', "The [quick brown] fox"),
        ("running, ran, run", "run", "[running], ran, [run]"),
        ("Un café, deux CAFÉS", "cafe", "Un [café], deux [CAFÉS]"),
        ("cafe\u0301 noir", "café", "[café] noir"),
        ("東京都に行く", "京都", "東[京都]に行く"),
        ("東京都に行く", "東京", "[東京]都に行く"),
        ("Straße 5", "strasse", "[Straße] 5"),
        ("ship it 🚀 now", "🚀", "ship it [🚀] now"),
        ("👍🏽 good", "👍", "[👍🏽] good"),
        ("a ﬁre", "fire", "a [ﬁre]"),
        ("ｶﾞｲﾄﾞを見る", "ガイド", "[ｶﾞｲﾄﾞ]を見る"),
        ("まずﾊﾟﾝとｶﾞ", "パン", "まず[ﾊﾟﾝ]とｶﾞ"),
        ("ﾊﾟﾝ", "ン", "ﾊﾟ[ﾝ]"),
        ("שָׁלוֹם עולם", "שלום", "[שָׁלוֹם] עולם"),
        ("<b>bold</b>", "bold", "<b>[bold]</b>"),
        ("nothing here", "elsewhere", "nothing here"),
        ("", "anything", ""),
        ("\x01\ue000word\ue001\x02", "word", "\x01\ue000[word]\ue001\x02"),
    ],
)
def test_hits_are_marked_in_the_text_as_it_was_written(text: str, query: str, expected: str) -> None:
    assert shown(text, query) == composed(expected)


def test_a_long_text_is_cut_around_its_hits() -> None:
    text = "before " * 200 + "the needle stands here " + "after " * 200
    cut = shown(text, "needle")
    assert "the [needle] stands here" in cut
    assert cut.startswith("…before")
    assert cut.endswith("after…")
    assert limits.SNIPPET_CHARS - 50 < len(cut) < limits.SNIPPET_CHARS + 10


def test_where_most_hits_are_together() -> None:
    text = "one needle " + "hay " * 200 + "needle needle needle" + " hay" * 200
    assert "[needle] [needle] [needle]" in shown(text, "needle")


def test_the_beginning_where_nothing_is_marked() -> None:
    cut = shown("word " * 200, "else")
    assert cut.startswith("word word")
    assert cut.endswith("word…")


def test_a_text_without_spaces_is_cut_all_the_same() -> None:
    cut = shown("x" * 500 + " needle", "needle")
    assert cut.startswith("…x")
    assert cut.endswith(" [needle]")


TEXTS = st.text(st.sampled_from("ab é\u0301東ﬁß🎉\u200d\n \u202e") | st.characters(codec="utf-8"), max_size=700)
SPANS = st.lists(st.tuples(st.integers(0, 900), st.integers(1, 20)), max_size=8)


@given(TEXTS, SPANS)
def test_whatever_is_marked_pieces_are_the_text(text: str, places: list[tuple[int, int]]) -> None:
    whole = composed(text)
    length = len(fold(whole))
    hits, end = [], 0
    for start, size in sorted(places):
        if end <= start < length:
            hits.append((start, end := min(start + size, length)))
    pieces = snippet(whole, hits)
    joined = "".join(piece.text for piece in pieces)
    assert joined.removeprefix("…").removesuffix("…") in whole or joined in whole
    assert len(joined) <= limits.SNIPPET_CHARS + 2
    assert all(piece.text for piece in pieces)
    assert all(one.hit or other.hit or "…" in (one.text, other.text) for one, other in itertools.pairwise(pieces))
    if not hits:
        assert not any(piece.hit for piece in pieces)


def test_nothing_of_nothing() -> None:
    assert snippet("", ()) == ()
    assert snippet("x", [(0, 1)]) == (Piece("x", True),)
