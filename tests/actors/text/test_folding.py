"""What is written and what is searched for become the same words."""

import sys
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors import limits
from actors.text import folding
from actors.text.folding import fold, starts
from actors.text.normal import compatible, composed, segments


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Café", "cafe"),
        ("cafe\u0301", "café"),  # composed or not
        ("ÅNGSTRÖM", "angstrom"),
        ("Straße", "STRASSE"),
        ("łódź", "lodz"),
        ("İstanbul", "istanbul"),
        ("ΣΊΣΥΦΟΣ", "σισυφος"),  # the sigma at a word's end is a sigma
        ("ёлка", "елка"),
        ("\uff26\uff55\uff4c\uff4c", "full"),
        ("ﬁre", "fire"),
        ("ｶﾀｶﾅ", "カタカナ"),
        ("שָׁלוֹם", "שלום"),  # points
        ("مُحَمَّد", "محمد"),
        ("مـــحمد", "محمد"),
        ("\u202eabc\u202c é", "abc e"),  # marks of direction
        ("so\u00adft é", "soft e"),
        ("👍🏽", "👍"),
        ("❤️", "❤"),
        ("\u1112\u1161\u11ab", "한"),  # Jamo are a syllable
        ("\u314e\u314f", "하"),
        ("\uffbe\uffc2", "하"),  # half-width
        ("ｶﾞｲﾄﾞ", "ガイド"),  # the mark is a character of its own
        ("ﾊﾟﾝ", "パン"),
        ("ﾎﾟﾎﾞホ", "ポボホ"),
        ("か\u3099", "が"),
        ("㍿", "株式会社"),
        ("①②", "12"),
        ("ﬃ", "ffi"),
        ("ﻻ", "لا"),
        ("ﻣﺮﺣﺒﺎ", "مرحبا"),
        ("\u210c", "h"),
        ("㎏", "kg"),
        ("é" + "\u0301" * 9, "e"),
        ("क\u093c", "\u0958"),
    ],
)
def test_what_is_the_same(one: str, other: str) -> None:
    assert fold(one).lower() == fold(other).lower()


@pytest.mark.parametrize(("one", "other"), [("か", "が"), ("कि", "का"), ("n", "м"), ("🎉", "👍"), ("한", "하")])
def test_what_is_not(one: str, other: str) -> None:
    assert fold(one) != fold(other)


def test_scripts_without_spaces_are_a_word_for_each_character() -> None:
    assert fold("東京タワーto서울").split() == ["東", "京", "タ", "ワ", "ー", "to", "서", "울"]
    assert fold("สวัส").split() == ["ส", "ว", "\u0e31", "ส"]
    assert fold("𠮷野").split() == ["𠮷", "野"]  # beyond the first plane


def test_emoji_are_words_and_other_signs_are_none() -> None:
    assert fold("ship it🚀🚀").split() == ["ship", "it", "u1f680", "u1f680"]
    assert fold("│é│").replace("│", " ").split() == ["e"]


def test_ascii_stays_as_it_is() -> None:
    text = "Plain, \x01 old\nTEXT"
    assert fold(text) is text


def test_marks_of_our_own_are_never_in_a_folded_text() -> None:
    assert fold("a\ue000b\ue001é").split() == ["a", "b", "e"]


@given(st.text())
def test_starts_are_where_characters_begin(text: str) -> None:
    whole = composed(text)
    places = starts(whole)
    assert len(places) == len(whole) + 1
    assert places[-1] == len(fold(whole))
    assert places == sorted(places)
    at = 0
    for segment in segments(whole):
        assert fold(whole)[places[at] : places[at + len(segment)]] == (
            segment if whole.isascii() else fold(f"{segment}é")[:-1]
        )
        at += len(segment)


@given(st.text(st.sampled_from("aｶﾊﾞﾟが\u3099ᄒ\u1161\u11abㅏ가\u09c7\u09be\u0301\u0327é\u0f71\u0f73ﬁㇺ")))
def test_what_a_text_becomes_its_segments_become(text: str) -> None:
    assert "".join(map(compatible, segments(text))) == compatible(text)
    assert "".join(fold(f"{segment}é")[:-1] for segment in segments(text)) == fold(f"{text}é")[:-1]


def test_every_character_begins_a_segment_or_joins_one() -> None:
    for code in range(sys.maxunicode):
        character = chr(code)
        for before in ("e", "\u1100", "가", "\u09c7"):
            if unicodedata.category(character) != "Cs" and len(list(segments(before + character))) == 2:
                whole = unicodedata.normalize("NFKC", before + character)
                assert whole == before + unicodedata.normalize("NFKC", character), ascii(character)


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)).split() == fold(text).split()


def test_every_character_can_be_folded_and_few_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "_FOLDING", fresh := folding._Folding())
    for code in range(0, sys.maxunicode, 7):
        if unicodedata.category(chr(code)) != "Cs":
            assert "\ue000" not in fold(f"é{chr(code)}")
    assert len(fresh) == limits.FOLDINGS_REMEMBERED


@pytest.mark.parametrize("text", ["\u0301\u0327" * 62_000, "\u0f73" * 80_000, "é" + "\u0327\u0301" * 62_000])
def test_a_text_of_marks_is_folded_at_once(text: str) -> None:
    started = time.process_time()
    starts(composed(text))
    assert not fold(text).strip(" e\u0f71\u0f72")
    assert time.process_time() - started < 0.5  # seconds, where the quadratic way takes ten
