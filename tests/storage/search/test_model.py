"""Whatever was written, changed and taken away, and whatever is asked: a search finds what looking at every message
would find, whether the index has come that far or not."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors import limits
from actors.auth.identity import Identity
from actors.resources.members import AddMember, RemoveMember
from actors.resources.messages import DeleteMessage, EditMessage
from actors.resources.threads import DeleteThread, Thread, UpdateThread
from storage.maintenance import integrity
from tests.builders import Ledger
from tests.examples import examples
from tests.storage.search.asking import told, walk

WORDS = ("zebra", "kilo", "tango", "Café", "cafe", "NAÏVE", "東京", "京都", "한국", "🎉", "zebu", "don't")
PLAIN = {
    "zebra": "zebra", "kilo": "kilo", "tango": "tango", "Café": "cafe", "cafe": "cafe", "NAÏVE": "naive",
    "東京": "東 京", "京都": "京 都", "한국": "한 국", "🎉": "🎉", "zebu": "zebu", "don't": "don t",
}  # fmt: skip
"""As looking at every message compares them: token by token."""
PEOPLE = ("ana", "bo", "cy", "root")


def tokens(text: str) -> list[str]:
    return " ".join(PLAIN[word] for word in text.split()).split()


def has_in_a_row(text: list[str], wanted: list[str]) -> bool:
    return any(text[at : at + len(wanted)] == wanted for at in range(len(text) - len(wanted) + 1))


@dataclass
class Said:
    key: str
    author: str
    text: str
    thread: "Place"
    kind: str = "message"
    reply: bool = False
    gone: bool = False


@dataclass
class Place:
    thread: Thread
    members: set[str]
    said: list[Said] = field(default_factory=list)
    gone: bool = False


class World:
    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.people: dict[str, Identity] = {
            name: ledger.user(name, role="ADMIN" if name == "root" else None) for name in PEOPLE
        }
        self.places: list[Place] = []
        for name in PEOPLE[:3]:
            self.open(name, "tango")

    def open(self, name: str, title: str) -> None:
        thread = self.ledger.thread(self.people[name], title=title)
        place = Place(thread, {name})
        place.said.append(Said(thread.id, name, title, place, "thread"))
        self.places.append(place)

    def step(self, kind: int, who: int, where: int, which: int, text: str) -> None:
        name, place = PEOPLE[who % 4], self.places[where % len(self.places)]
        base: dict[str, Any] = {"identity": self.people[name], "thread_id": place.thread.id}
        messages = [said for said in place.said if said.kind == "message" and not said.gone]
        if kind == 5:
            self.open(name, text)
        elif kind == 6:
            self.ledger.index()
        elif place.gone or (name not in place.members and kind != 7):
            return
        elif kind in (0, 1, 2):
            self.post(name, place, base, text, reply=bool(which % 2 and messages), to=messages)
        elif kind == 3 and messages:
            self.edit(messages[which % len(messages)], text)
        elif kind == 4 and messages:
            self.delete(messages[which % len(messages)])
        elif kind == 7:
            self.move(place, PEOPLE[which % 3])
        elif kind == 8:
            self.retitle(place, base, text, goes=which == 7)

    def post(self, name: str, place: Place, base: dict[str, Any], text: str, *, reply: bool, to: list[Said]) -> None:
        message = self.ledger.post(
            self.people[name], place.thread, text, parent_id=to[0].key if reply else None
        )  # fmt: skip
        place.said.append(Said(message.id, name, text, place, reply=reply))

    def edit(self, said: Said, text: str) -> None:
        command = EditMessage(
            identity=self.people[said.author], thread_id=said.thread.thread.id, message_id=said.key, content=text
        )
        if said.author in said.thread.members:
            self.ledger.do(command)
            said.text = text

    def delete(self, said: Said) -> None:
        thread_id = said.thread.thread.id
        root = self.people["root"]
        self.ledger.do(DeleteMessage(identity=root, thread_id=thread_id, message_id=said.key))
        said.gone = True

    def move(self, place: Place, name: str) -> None:
        """In, or out."""
        root, user_id, thread_id = self.people["root"], self.people[name].user.id, place.thread.id
        if name not in place.members:
            self.ledger.do(AddMember(identity=root, thread_id=thread_id, user_id=user_id, role="OWNER"))
            place.members.add(name)
        elif len(place.members) > 1:
            self.ledger.do(RemoveMember(identity=root, thread_id=thread_id, user_id=user_id))
            place.members.remove(name)

    def retitle(self, place: Place, base: dict[str, Any], text: str, *, goes: bool) -> None:
        if goes:
            self.ledger.do(DeleteThread(**{**base, "identity": self.people["root"]}))
            place.gone = True
        else:
            self.ledger.do(UpdateThread(**{**base, "identity": self.people["root"]}, title=text))
            place.said[0].text = text

    def visible(self, name: str, *, everything: bool) -> Iterator[Said]:
        for place in self.places:
            if not place.gone and (everything or name in place.members):
                yield from (said for said in place.said if not said.gone)

    def check(self, name: str, question: "Question") -> None:
        everything = name == "root" and question.everything
        asked = {
            "text": question.typed, "kind": question.kind, "has": "reply" if question.reply else None,
            "author_id": self.people[question.author].user.id if question.author else None, "everything": everything,
        }  # fmt: skip
        expected = sorted(s.text for s in self.visible(name, everything=everything) if question.fits(s))
        who = self.people[name]
        for sort in ("relevance", "newest"):
            assert sorted(told(self.ledger, who, sort=sort, **asked)) == expected, (question, sort)
            assert sorted(walk(self.ledger, who, sort=sort, limit=2, **asked)) == expected, (question, sort)


@dataclass(frozen=True)
class Question:
    words: tuple[str, ...]
    phrase: tuple[str, ...]
    without: str | None
    beginning: str | None
    kind: Any
    author: str | None
    reply: bool
    everything: bool

    @property
    def typed(self) -> str | None:
        parts = list(self.words)
        parts += [f'"{" ".join(self.phrase)}"'] if self.phrase else []
        parts += [f"-{self.without}"] if self.without else []
        parts += [f"{self.beginning}*"] if self.beginning else []
        return " ".join(parts) or None

    def fits(self, said: Said) -> bool:
        text = tokens(said.text)
        return (
            all(has_in_a_row(text, tokens(word)) for word in self.words)
            and has_in_a_row(text, tokens(" ".join(self.phrase)))
            and not (self.without and has_in_a_row(text, tokens(self.without)))
            and (not self.beginning or any(token.startswith(self.beginning) for token in text))
            and self.kind in (None, said.kind)
            and self.author in (None, said.author)
            and (not self.reply or said.reply)
        )


TEXT = st.lists(st.sampled_from(WORDS), min_size=1, max_size=5).map(" ".join)
STEPS = st.lists(st.tuples(st.integers(0, 8), *[st.integers(0, 7)] * 3, TEXT), min_size=5, max_size=40)
WORD = st.sampled_from(WORDS)
QUESTIONS = st.lists(
    st.builds(
        Question,
        words=st.lists(WORD, max_size=2).map(tuple),
        phrase=st.lists(WORD, max_size=2).map(tuple),
        without=st.none() | WORD,
        beginning=st.none() | st.sampled_from(["ze", "zeb", "caf", "tan"]),
        kind=st.none() | st.sampled_from(["message", "thread"]),
        author=st.none() | st.sampled_from(PEOPLE[:2]),
        reply=st.booleans(),
        everything=st.booleans(),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS, questions=QUESTIONS, window=st.integers(1, 6), as_tags=st.sampled_from([0, 1, 1000]))
def test_a_search_finds_what_looking_at_everything_finds(
    steps: list[tuple[int, int, int, int, str]], questions: list[Question], window: int, as_tags: int
) -> None:
    usual = limits.SEARCH_WINDOW, limits.SEARCH_THREADS
    limits.SEARCH_WINDOW, limits.SEARCH_THREADS = window, as_tags
    try:
        with tempfile.TemporaryDirectory() as folder:
            ledger = Ledger(Path(folder) / "experience.db")
            world = World(ledger)
            for step in steps:
                world.step(*step)
            for question in questions:
                for name in PEOPLE:
                    world.check(name, question)
            assert not [found for _, found in ledger.ask(lambda db: list(integrity.check(db))) if found]
            ledger.close()
    finally:
        limits.SEARCH_WINDOW, limits.SEARCH_THREADS = usual
