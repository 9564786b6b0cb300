"""Whatever somebody types, none of it is syntax of FTS5."""

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors import limits
from actors.errors import ValidationFailed
from storage.search.documents import Document
from storage.search.small_index import SmallIndex
from storage.search.terms import Terms, expression, parse


@pytest.mark.parametrize(
    ("text", "wanted", "unwanted"),
    [
        ("one two", ('"one"', '"two"'), ()),
        ('"one two" three', ('"one two"', '"three"'), ()),
        ("“one two” „three four‟", ('"one two"', '"three four"'), ()),  # as telephones type them
        ("one -two", ('"one"',), ('"two"',)),
        ('one -"two three"', ('"one"',), ('"two three"',)),
        ("--one", (), ('"-one"',)),
        ("well-known", ('"well-known"',), ()),
        ("- one", ('"one"',), ()),
        ("begin* -end*", ('"begin" *',), ('"end" *',)),
        ("a*b", ('"a*b"',), ()),
        ("begin***", ('"begin" *',), ()),
        ('"one two*"', ('"one two"',), ()),
        ('"never closed', ('"never closed"',), ()),
        ('one"two"', ('"one"', '"two"'), ()),
        ('"" "!" one', ('"one"',), ()),
        ("Café", ('"cafe"',), ()),
        ("東京*", ('" 東  京 "',), ()),  # each is a word, and whole
        ("🎉", ('" u1f389 "',), ()),
        ("a AND b OR c NOT d", ('"a"', '"AND"', '"b"', '"OR"', '"c"', '"NOT"', '"d"'), ()),
        ("tags:km", ('"tags:km"',), ()),
        ("NEAR(a b, 3)", ('"NEAR(a"', '"b,"', '"3)"'), ()),
        ("^a + b", ('"^a"', '"b"'), ()),
        ("x\x00y", ('"x"', '"y"'), ()),
    ],
)
def test_what_is_made_of_a_text(text: str, wanted: tuple[str, ...], unwanted: tuple[str, ...]) -> None:
    assert parse(text) == Terms(wanted, unwanted)


def test_no_text_wants_nothing() -> None:
    assert parse(None) == Terms()


@pytest.mark.parametrize("text", ["", " ", "-", "*", '"', '""', "- * + ( ) :", "!?", "\u200b", "\xb4", "\x00", "-*"])
def test_a_text_with_nothing_to_search_for(text: str) -> None:
    with pytest.raises(ValidationFailed) as caught:
        parse(text)
    assert "nothing to search for" in caught.value.field_errors["q"][0]


def test_a_beginning_that_is_too_short() -> None:
    with pytest.raises(ValidationFailed) as caught:
        parse("fine a*")
    assert caught.value.field_errors["q"] == [f"a beginning* needs at least {limits.SEARCH_PREFIX_CHARS} letters."]


def test_too_many_words() -> None:
    parse("word " * limits.SEARCH_TERMS)
    with pytest.raises(ValidationFailed) as caught:
        parse("word " * (limits.SEARCH_TERMS + 1))
    assert "at most 32" in caught.value.field_errors["q"][0]


def test_an_expression_has_every_condition() -> None:
    terms = Terms(('"a"', '"b" *'), ('"c"',))
    assert expression(terms, [("km",), ("t1", "t2")]) == (
        '((tags : ("km")) AND (tags : ("t1" OR "t2")) AND (text : ("a" AND "b" *))) NOT (text : ("c"))'
    )
    assert expression(Terms(), []) == '(tags : ("km" OR "kr" OR "kf" OR "kt"))'


HOSTILE = st.text(st.sampled_from("ab \"*-+:^(){}[]'\\;,.NEAROD\x00\x01\n東ü🎉\u202e\ue000"), max_size=60) | st.text()


@given(HOSTILE)
def test_no_text_is_syntax(text: str) -> None:
    """Whatever is typed is an expression that FTS5 takes, and that finds nothing outside of the tags' bounds."""
    try:
        terms = parse(text)
    except ValidationFailed:
        return
    mine, other = Document(1, "a b ab 東", "km t1"), Document(2, "a b ab 東", "km t2")
    with SmallIndex([mine, other]) as index:
        try:
            assert set(index.matching(expression(terms, [("t1",)]))) <= {1}
        except sqlite3.OperationalError as error:
            pytest.fail(f"{text!r}: {error}")


@pytest.mark.parametrize("word", ["running", "RUNS", "run", "runner's run"])
def test_stems(word: str) -> None:
    with SmallIndex([Document(1, "she runs", "km")]) as index:
        assert index.matching(expression(parse(word.split()[-1]), [])) == [1]


def test_the_first_words_count() -> None:
    (phrase,) = parse("あ" * 400).wanted
    assert phrase.count("あ") == limits.SEARCH_WORDS
    many = parse(" ".join("い" * n for n in range(1, 31)))
    assert sum(phrase.count("い") for phrase in many.wanted) == limits.SEARCH_WORDS
    assert parse("a b a B").wanted == ('"a"', '"b"', '"B"')
    assert parse('"' + "a " * 200 + '" -b*c').wanted[0].count("a") == limits.SEARCH_WORDS
