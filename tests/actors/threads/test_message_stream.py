"""The text of one streamed message: pieces, retries, halves of characters, and what was published of it."""

import pytest

from actors.errors import Conflict
from actors.threads.message_stream import Ending, Stream, joined, whole
from tests.builders import identity


def written(*pieces: str) -> Stream:
    stream = Stream("s", 1)
    for piece in pieces:
        stream.append(piece, None, 0.0)
    return stream


def test_what_was_loaded_is_published_and_saved() -> None:
    stream = Stream("s", 1, "aé", now=7.0)
    assert (stream.text, stream.length, stream.sent, stream.saved, stream.size) == ("aé", 2, 2, 2, 3)
    assert (stream.touched_at, stream.saved_at) == (7.0, 7.0)
    assert stream.take_delta() is None


def test_pieces_follow_each_other() -> None:
    stream = written("one ", "", "two")
    stream.append(", three", 7, 5.0)
    assert (stream.text, stream.length, stream.size, stream.touched_at) == ("one two, three", 14, 14, 5.0)


def test_what_is_new_is_taken_once_with_its_place() -> None:
    stream = written("one", " two")
    assert stream.take_delta() == (0, "one two")
    assert stream.take_delta() is None
    stream.append("", None, 0.0)
    assert stream.take_delta() is None
    stream.append("!", None, 0.0)
    assert stream.take_delta() == (7, "!")
    assert stream.sent == 8


@pytest.mark.parametrize(("text", "index"), [("one", 0), ("e t", 2), ("two", 4), ("", 3)])
def test_a_piece_that_is_there_already_changes_nothing(text: str, index: int) -> None:
    stream = written("one two")
    stream.append(text, index, 9.0)
    assert (stream.text, stream.length, stream.touched_at) == ("one two", 7, 9.0)


@pytest.mark.parametrize(("text", "index"), [("three", 8), ("", 8), ("One", 0), ("two!", 4)])
def test_a_piece_that_leaves_a_gap_or_says_otherwise_is_refused(text: str, index: int) -> None:
    stream = written("one two")
    with pytest.raises(Conflict, match=f"has 7 characters, but the piece starts at {index}") as refusal:
        stream.append(text, index, 0.0)
    assert refusal.value.code == "stream_gap"
    assert stream.text == "one two"


def test_a_piece_that_ended_with_half_a_pair_may_come_again() -> None:
    stream = written("a")
    for _ in range(2):
        stream.append("b\ud83d", 1, 0.0)
        stream.append("\ud83d", 2, 0.0)
        stream.append("", 2, 0.0)
    assert (stream.text, stream.final_text) == ("ab", "ab\ufffd")
    stream.append("\ude00", 2, 0.0)
    assert stream.final_text == "ab😀"


def test_without_a_place_another_first_half_leaves_the_earlier_one_alone() -> None:
    stream = written("a\ud83d", "\ud83d", "\ude00")
    assert stream.text == "a\ufffd😀"


def test_who_has_ended_takes_no_more() -> None:
    fresh, over, ending = written("a"), written("a"), written("a")
    fresh.must_take_more()
    over.is_over = True
    ending.ending = Ending("silent")
    for stream in (over, ending):
        with pytest.raises(Conflict) as refusal:
            stream.must_take_more()
        assert refusal.value.code == "not_streaming"


def test_what_another_process_began_is_unclaimed_until_its_author_comes_back() -> None:
    own, resumed = Stream("s", 1), Stream("s", 1, is_resumed=True)
    assert (own.is_unclaimed, resumed.is_unclaimed) == (False, True)
    resumed.identity = identity()
    assert not resumed.is_unclaimed


@pytest.mark.parametrize(
    ("text", "said", "half"),
    [
        ("abc", "abc", ""), ("a\ud83d", "a", "\ud83d"), ("\ude00a", "\ufffda", ""), ("a\ude00", "a\ufffd", ""),
        ("\ud83d\ude00", "😀", ""), ("\ud83d\ude00\ud83d", "😀", "\ud83d"),
    ],
)  # fmt: skip
def test_halves_of_pairs_are_joined_kept_or_replaced(text: str, said: str, half: str) -> None:
    assert joined(text) == (said, half)
    assert whole(text) == (said + "\ufffd" if half else said)
