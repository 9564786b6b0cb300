"""Presence and typing in time: what is published when, and that no timer outlives its thread."""

from dataclasses import replace
from typing import Any

import pytest

from actors import limits
from actors.delivery.ephemeral import Ephemeral
from actors.resources.presence import PresenceChange, TypingUsers
from actors.resources.users import Author
from actors.threads.presence import Presence
from actors.threads.typing_users import Typing
from tests.actors.clock import Clock

ANA, BO = (Author(key, f"c{key}", name, "HUMAN") for key, name in ((1, "Ana"), (2, "Bo")))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def published() -> list[list[Ephemeral]]:
    return []


@pytest.fixture
def typing(clock: Clock, published: list[list[Ephemeral]]) -> Typing:
    loop: Any = clock
    return Typing(loop, "t", publish=published.append)


def names(published: list[list[Ephemeral]]) -> list[list[str]]:
    return [[author.name for author in each.data.users] for (each,) in published]


def test_typing_ends_by_itself_and_leaves_no_timer(
    clock: Clock, typing: Typing, published: list[list[Ephemeral]]
) -> None:
    typing.start(ANA)
    clock.advance(limits.TYPING_SECONDS / 2)
    typing.start(ANA)
    clock.advance(limits.TYPING_SECONDS - 0.01)
    assert names(published) == [["Ana"]], "repeated, so it goes on"
    clock.advance(0.2)
    assert names(published) == [["Ana"], []]
    assert clock.pending == []


def test_a_start_within_the_pause_is_published_after_it(
    clock: Clock, typing: Typing, published: list[list[Ephemeral]]
) -> None:
    typing.start(ANA)
    typing.end(ANA.key)
    typing.start(ANA)
    assert names(published) == [["Ana"], []]
    clock.advance(limits.TYPING_PAUSE_SECONDS)
    assert names(published) == [["Ana"], [], ["Ana"]]


def test_a_start_at_the_end_of_the_pause_is_published_at_once(
    clock: Clock, typing: Typing, published: list[list[Ephemeral]]
) -> None:
    typing.start(ANA)
    typing.end(ANA.key)
    clock.advance(limits.TYPING_PAUSE_SECONDS)
    typing.start(ANA)
    assert names(published) == [["Ana"], [], ["Ana"]]


def test_who_types_on_under_another_name_is_listed_by_it(
    clock: Clock, typing: Typing, published: list[list[Ephemeral]]
) -> None:
    typing.start(ANA)
    typing.start(replace(ANA, name="Anna"))
    assert names(published) == [["Ana"]]
    clock.advance(limits.TYPING_PAUSE_SECONDS)
    assert names(published) == [["Ana"], ["Anna"]]
    typing.start(replace(ANA, name="Anna"))
    assert len(published) == 2
    typing.end(ANA.key)
    assert names(published)[2:] == [[]]


def test_an_end_within_the_pause_is_no_news(clock: Clock, typing: Typing, published: list[list[Ephemeral]]) -> None:
    typing.start(ANA)
    typing.end(ANA.key)
    typing.start(ANA)
    typing.end(ANA.key)
    clock.advance(limits.TYPING_SECONDS * 2)
    assert names(published) == [["Ana"], []]


def test_after_a_message_there_is_no_pause(typing: Typing, published: list[list[Ephemeral]]) -> None:
    typing.start(ANA)
    typing.end(ANA.key, has_written=True)
    typing.start(ANA)
    assert names(published) == [["Ana"], [], ["Ana"]]


def test_each_ends_in_their_own_time(clock: Clock, typing: Typing, published: list[list[Ephemeral]]) -> None:
    typing.start(ANA)
    clock.advance(limits.TYPING_SECONDS / 2)
    typing.start(BO)
    clock.advance(limits.TYPING_SECONDS / 2 + 0.1)
    assert names(published)[-1] == ["Bo"]
    clock.advance(limits.TYPING_SECONDS / 2)
    assert names(published)[-1] == []


def test_who_listed_longer_ago_than_the_pause_is_forgotten(clock: Clock, typing: Typing) -> None:
    """Or a thread would remember all who ever typed in it."""
    typing.start(ANA)
    clock.advance(limits.TYPING_SECONDS + limits.TYPING_PAUSE_SECONDS)
    typing.start(BO)
    clock.advance(limits.TYPING_SECONDS)
    assert ANA.key not in typing._listed_at


def test_the_end_of_another_shortens_no_pause(clock: Clock, typing: Typing, published: list[list[Ephemeral]]) -> None:
    typing.start(BO)
    clock.advance(limits.TYPING_SECONDS - 0.05)
    typing.start(ANA)
    typing.end(ANA.key)
    clock.advance(0.1)
    typing.start(ANA)
    assert names(published)[-1] == [], "Bo has ended, and Ana has to wait"
    clock.advance(limits.TYPING_PAUSE_SECONDS)
    assert names(published)[-1] == ["Ana"]


def test_a_list_that_was_published_is_known_to_have_been(typing: Typing) -> None:
    assert not typing.was_published
    typing.start(ANA)
    typing.end(ANA.key)
    assert typing.was_published
    assert typing.whole(anew=False) is None
    again = typing.whole(anew=True)
    assert again is not None
    assert again.data == TypingUsers([])


def test_no_timer_of_typing_outlives_the_thread(clock: Clock, typing: Typing) -> None:
    typing.start(ANA)
    typing.end(ANA.key)
    typing.start(ANA)  # waits for the pause
    typing.start(BO)
    assert clock.pending
    typing.stop()
    assert clock.pending == []


class Attending(dict[int, Author]):
    """Users who are present, one connection each."""

    connections = 0
    """More than that."""

    def __len__(self) -> int:
        return super().__len__() + self.connections

    @property
    def people_count(self) -> int:
        return super().__len__()

    def people(self) -> dict[int, Author]:
        return dict(self)


@pytest.fixture
def present() -> Attending:
    return Attending()


@pytest.fixture
def presence(clock: Clock, present: Attending, published: list[list[Ephemeral]]) -> Presence:
    loop: Any = clock
    return Presence(loop, "t", present=present, status=lambda _: "online", publish=published.append)


def changes(published: list[list[Ephemeral]]) -> list[tuple[int, list[Author], list[Author]]]:
    return [(each.data.count, each.data.joined, each.data.left) for (each,) in published]


def test_changes_are_published_together_and_leaving_later(
    clock: Clock, presence: Presence, present: Attending, published: list[list[Ephemeral]]
) -> None:
    for author in (ANA, BO):
        present[author.key] = author
        presence.changed()
    assert len(clock.pending) == 1
    clock.advance(limits.PRESENCE_SECONDS)
    assert changes(published) == [(2, [ANA, BO], [])]
    assert presence.was_published
    del present[BO.key]
    presence.changed()
    clock.advance(limits.PRESENCE_SECONDS)
    assert len(published) == 1
    clock.advance(limits.PRESENCE_LEAVE_SECONDS + limits.PRESENCE_SECONDS)
    assert changes(published)[1:] == [(1, [], [BO])]
    assert clock.pending == []


def test_one_user_on_two_devices_is_no_news(
    clock: Clock, presence: Presence, present: Attending, published: list[list[Ephemeral]]
) -> None:
    present[ANA.key] = ANA
    present.connections = 1
    presence.changed()
    clock.advance(limits.PRESENCE_SECONDS)
    assert (published, presence.was_published) == ([], False)


def test_a_reconnect_is_not_seen(
    clock: Clock, presence: Presence, present: Attending, published: list[list[Ephemeral]]
) -> None:
    present.update({ANA.key: ANA, BO.key: BO})
    presence.changed()
    clock.advance(limits.PRESENCE_SECONDS)
    del present[BO.key]
    presence.changed()
    clock.advance(limits.PRESENCE_SECONDS * 2)
    present[BO.key] = BO
    clock.advance(limits.PRESENCE_LEAVE_SECONDS * 3)
    assert len(published) == 1
    assert clock.pending == []


def test_no_timer_of_presence_outlives_the_thread(clock: Clock, presence: Presence) -> None:
    presence.changed()
    presence.stop()
    assert clock.pending == []


def test_of_a_crowd_only_the_count_is_published_and_never_of_one_user(
    clock: Clock, presence: Presence, present: Attending, published: list[list[Ephemeral]]
) -> None:
    present.connections = limits.PRESENCE_USERS + 1
    for people in ([ANA], [ANA, BO], [ANA, BO], [ANA], []):
        present.clear()
        present.update({author.key: author for author in people})
        presence.changed()
        clock.advance(limits.PRESENCE_SECONDS)
    assert changes(published) == [(2, [], []), (1, [], []), (0, [], [])]
    assert clock.pending == []


def test_a_new_subscriber_of_a_crowd_gets_the_count_once_there_is_one(
    clock: Clock, presence: Presence, present: Attending
) -> None:
    present.connections = limits.PRESENCE_USERS + 1
    present[ANA.key] = ANA
    assert presence.whole(anew=True) is None
    present[BO.key] = BO
    presence.changed()
    clock.advance(limits.PRESENCE_SECONDS)
    whole = presence.whole(anew=True)
    assert whole is not None
    assert whole.data == PresenceChange(2)


def whole(presence: Presence, *, anew: bool = False) -> list[tuple[Author, str]] | None:
    found = presence.whole(anew=anew)
    return None if found is None else list(found.data.users)  # type: ignore[attr-defined]


def test_a_new_subscriber_gets_the_list_as_it_was_published(
    clock: Clock, presence: Presence, present: Attending
) -> None:
    present[ANA.key] = ANA
    assert whole(presence) is None
    assert whole(presence, anew=True) == [(ANA, "online")], "it may have another one"
    present[BO.key] = BO
    presence.changed()
    clock.advance(limits.PRESENCE_SECONDS)
    del present[BO.key]
    assert whole(presence) == whole(presence, anew=True) == [(ANA, "online"), (BO, "online")]


def test_so_many_are_listed_by_name_and_one_more_is_a_crowd(
    clock: Clock, presence: Presence, present: Attending, published: list[list[Ephemeral]]
) -> None:
    present.update({ANA.key: ANA, BO.key: BO})
    present.connections = limits.PRESENCE_USERS - 2
    presence.changed()
    clock.advance(limits.PRESENCE_SECONDS)
    assert changes(published) == [(2, [ANA, BO], [])]
    assert whole(presence) is not None
    present.connections += 1
    presence.changed()
    clock.advance(limits.PRESENCE_SECONDS)
    assert len(published) == 1, "their number is the same"
    counted = presence.whole(anew=False)
    assert counted is not None
    assert counted.data == PresenceChange(2)
    present.connections -= 1
    presence.changed()
    clock.advance(limits.PRESENCE_SECONDS)
    assert changes(published)[1:] == [(2, [ANA, BO], [])], "a crowd has no list, so it begins anew"


def test_one_who_leaves_is_there_until_their_time_is_over(
    clock: Clock, presence: Presence, present: Attending, published: list[list[Ephemeral]]
) -> None:
    present.update({ANA.key: ANA, BO.key: BO})
    presence.changed()
    clock.advance(limits.PRESENCE_SECONDS)
    del present[BO.key]
    presence.changed()
    clock.advance(limits.PRESENCE_SECONDS)
    began = clock.now
    while len(published) == 1:
        clock.advance(limits.PRESENCE_SECONDS)
    assert limits.PRESENCE_LEAVE_SECONDS <= clock.now - began < limits.PRESENCE_LEAVE_SECONDS + limits.PRESENCE_SECONDS
    present[BO.key] = BO
    presence.changed()
    clock.advance(limits.PRESENCE_SECONDS)
    assert changes(published)[1:] == [(1, [], [BO]), (2, [BO], [])]


def test_the_last_one_alone_is_still_in_the_list(
    clock: Clock, presence: Presence, present: Attending, published: list[list[Ephemeral]]
) -> None:
    present.update({ANA.key: ANA, BO.key: BO})
    presence.changed()
    clock.advance(limits.PRESENCE_SECONDS)
    present.clear()
    presence.changed()
    clock.advance(limits.PRESENCE_LEAVE_SECONDS + limits.PRESENCE_SECONDS * 2)
    assert changes(published)[1:] == [(0, [], [ANA, BO])]
    assert whole(presence) is None


def test_one_who_waited_for_the_pause_types_again_later_and_it_ends_by_itself(
    clock: Clock, typing: Typing, published: list[list[Ephemeral]]
) -> None:
    typing.start(ANA)
    typing.end(ANA.key)
    typing.start(ANA)
    clock.advance(limits.TYPING_SECONDS + limits.TYPING_PAUSE_SECONDS)
    typing.start(ANA)
    assert names(published) == [["Ana"], [], ["Ana"], [], ["Ana"]]
    clock.advance(limits.TYPING_SECONDS + 0.2)
    assert names(published)[-1] == []
    assert clock.pending == []


def test_all_who_type_end_together(clock: Clock, typing: Typing, published: list[list[Ephemeral]]) -> None:
    typing.start(ANA)
    typing.end(ANA.key)
    typing.start(BO)
    typing.start(ANA)  # waits for the pause
    typing.end_all()
    assert names(published) == [["Ana"], [], ["Bo"], []]
    typing.end_all()
    clock.advance(limits.TYPING_PAUSE_SECONDS)
    assert len(published) == 4


def test_a_new_subscriber_gets_who_types(typing: Typing) -> None:
    assert typing.whole(anew=False) is None
    typing.start(ANA)
    listed = typing.whole(anew=False)
    assert listed is not None
    assert listed.data == TypingUsers([ANA])


def test_the_timer_of_typing_is_one_and_set_for_the_next_end(clock: Clock, typing: Typing) -> None:
    began = clock.now
    typing.start(ANA)
    clock.advance(limits.TYPING_SECONDS / 2)
    typing.start(BO)
    assert [timer.at for timer in clock.pending] == [began + limits.TYPING_SECONDS]
    clock.advance(limits.TYPING_SECONDS / 2)
    assert [timer.at for timer in clock.pending] == [began + limits.TYPING_SECONDS * 1.5]
    clock.advance(limits.TYPING_SECONDS / 2 - 0.01)
    typing.start(BO)
    clock.advance(0.02)
    assert len(clock.pending) == 1
    assert clock.pending[0].at == pytest.approx(began + limits.TYPING_SECONDS * 2.5 - 0.01)
