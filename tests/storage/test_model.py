"""Whatever several users do in whatever order: the store does what a small model of it says it does.

Each example is a sequence of batches. For every command the model foretells the entries of the log or the refusal;
after every batch the database must say what the model says, and so must a client that only followed the events.
"""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.auth.identity import Identity
from actors.commands import UNSET
from actors.errors import XpError
from actors.events import Event
from actors.identifiers import new_id
from actors.outcomes import Done
from actors.resources.members import AddMember, MarkRead, Member, MemberGone, RemoveMember, UpdateMember
from actors.resources.messages import DeleteMessage, EditMessage, Message, PostMessage
from actors.resources.reactions import React, ReactionChange
from actors.resources.threads import DeleteThread, UpdateThread
from actors.threads.state import ThreadState
from storage.maintenance import integrity
from storage.resources.log import reading as log
from storage.resources.messages import reading as messages
from storage.resources.threads import reading as threads
from tests.builders import Ledger, once
from tests.examples import examples

USERS = ("owner", "member", "viewer", "stranger", "root")  # as they begin in the first thread
EMOJI = ("👍", "🎉")
ROLES = ("OWNER", "MEMBER", "VIEWER")


class Refused(Exception):
    """What the model foretells: the code of the error."""


def refuse(unless: bool, code: str) -> None:
    if not unless:
        raise Refused(code)


def foretold(foretell: Callable[[], list[str]]) -> tuple[list[str], str | None]:
    """The types of the entries, or the code of the refusal."""
    try:
        return foretell(), None
    except Refused as refused:
        return [], str(refused)


# The model


@dataclass
class ModelMessage:
    id: str
    author: str
    content: str
    offset: int
    number: int
    parent: str | None
    version: int = 1
    deleted: bool = False
    reactions: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class ModelThread:
    id: str
    roles: dict[str, str]
    title: str = "T"
    status: str = "ACTIVE"
    version: int = 1
    offset: int = 0
    deleted: bool = False
    messages: dict[str, ModelMessage] = field(default_factory=dict)
    read: dict[str, int] = field(default_factory=dict)
    """User → number of the newest message read."""

    def must_see(self, who: str) -> None:
        refuse(not self.deleted and (who in self.roles or who == "root"), "not_found")

    def must_write(self, who: str) -> None:
        self.must_see(who)
        refuse(self.roles.get(who) in ("OWNER", "MEMBER"), "not_a_writer")
        refuse(self.status != "CLOSED", "thread_closed")

    def must_manage(self, who: str) -> None:
        self.must_see(who)
        refuse(self.roles.get(who) == "OWNER" or who == "root", "forbidden")

    def must_keep_an_owner(self, whom: str) -> None:
        refuse(self.roles[whom] != "OWNER" or list(self.roles.values()).count("OWNER") > 1, "last_owner")

    def log(self, *types: str) -> list[str]:
        self.offset += len(types)
        return list(types)

    # Each answers the types of the entries that it makes

    def post(self, who: str, uid: str, content: str, parent: str | None, taken: set[str]) -> list[str]:
        refuse(not self.deleted, "not_found")
        refuse(parent is None or parent in self.messages, "not_found")
        self.must_write(who)
        refuse(uid not in taken, "id_taken")
        number = len(self.messages) + 1
        self.messages[uid] = ModelMessage(uid, who, content, self.offset + 1, number, parent)
        self.read[who] = number
        return self.log("message.created")

    def message(self, who: str, uid: str) -> ModelMessage:
        self.must_see(who)
        refuse(uid in self.messages, "not_found")
        return self.messages[uid]

    def edit(self, who: str, uid: str, content: str, if_version: int | None) -> list[str]:
        message = self.message(who, uid)
        refuse(message.author == who and self.roles.get(who) in ("OWNER", "MEMBER"), "forbidden")
        self.must_write(who)
        refuse(not message.deleted, "message_deleted")
        refuse(if_version in (None, message.version), "stale_version")
        if content == message.content:
            return []
        message.content, message.version = content, message.version + 1
        return self.log("message.updated")

    def delete_message(self, who: str, uid: str) -> list[str]:
        message = self.message(who, uid)
        mine = message.author == who and who in self.roles
        refuse(mine or self.roles.get(who) == "OWNER" or who == "root", "forbidden")
        refuse(not message.deleted, "message_deleted")
        message.deleted, message.content, message.reactions = True, "", {}
        message.version += 1
        return self.log("message.deleted")

    def react(self, who: str, uid: str, emoji: str, wanted: bool | None) -> list[str]:
        message = self.message(who, uid)
        self.must_write(who)
        refuse(not message.deleted, "message_deleted")
        users = message.reactions.setdefault(emoji, [])
        there = who in users
        if wanted is not None and wanted == there:
            return []
        (users.remove if there else users.append)(who)
        return self.log("reaction.removed" if there else "reaction.added")

    def add(self, who: str, whom: str, role: str) -> list[str]:
        self.must_manage(who)
        refuse(whom not in self.roles, "already_member")
        self.roles[whom] = role
        self.read[whom] = len(self.messages)
        return self.log("member.added")

    def give_role(self, who: str, whom: str, role: str) -> list[str]:
        refuse(not self.deleted and whom in self.roles, "not_found")
        self.must_manage(who)
        if role == self.roles[whom]:
            return []
        self.must_keep_an_owner(whom)
        self.roles[whom] = role
        return self.log("member.updated")

    def remove(self, who: str, whom: str) -> list[str]:
        self.must_see(who)
        refuse(whom in self.roles, "not_found")
        if who != whom:
            self.must_manage(who)
        self.must_keep_an_owner(whom)
        del self.roles[whom]
        return self.log("member.removed")

    def mark_read(self, who: str, offset: int | None) -> list[str]:
        self.must_see(who)
        refuse(who in self.roles, "not_found")
        reached = [m.number for m in self.messages.values() if offset is None or m.offset <= offset]
        if not reached or reached[-1] <= self.read.get(who, 0):
            return []
        self.read[who] = reached[-1]
        return self.log("read.updated")

    def update(self, who: str, title: str | None, status: str | None, if_version: int | None) -> list[str]:
        self.must_manage(who)
        refuse(if_version in (None, self.version), "stale_version")
        if title in (None, self.title) and status in (None, self.status):
            return []
        self.title, self.status, self.version = title or self.title, status or self.status, self.version + 1
        return self.log("thread.updated")

    def delete(self, who: str) -> list[str]:
        self.must_manage(who)
        self.deleted = True
        return self.log("thread.deleted")


class Follower:
    """A client that knows a thread by its events alone."""

    def __init__(self, state: ThreadState) -> None:
        self.state = state
        self.messages: dict[str, tuple[str, int, bool]] = {}
        self.reactions: dict[tuple[str, str], int] = {}
        self.members: set[str] = set()

    def take(self, event: Event) -> None:
        assert event.offset == self.state.offset + 1
        self.state.apply(event)
        match event.data:
            case Message() as message:
                self.messages[message.id] = (message.content, message.version, message.deleted_at is not None)
                if message.deleted_at is not None:
                    self.reactions = {key: n for key, n in self.reactions.items() if key[0] != message.id}
            case ReactionChange(message_id, emoji, _, count):
                self.reactions[message_id, emoji] = count
            case Member(user=user):
                self.members.add(user.name)
            case MemberGone(user):
                self.members.discard(user.name)


# The real thing beside it


class World:
    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.people: dict[str, Identity] = {
            name: ledger.user(name, role="ADMIN" if name == "root" else None) for name in USERS
        }
        self.threads: list[ModelThread] = []
        self.followers: dict[str, Follower] = {}
        self.message_ids: list[str] = []
        self.keys: dict[tuple[str, str], tuple[int, Any]] = {}
        self.position = 0
        for roles in ({"member": "MEMBER", "viewer": "VIEWER"}, {"root": "MEMBER"}):
            self.begin(roles)

    def begin(self, roles: dict[str, str]) -> None:
        owner = self.people["owner"]
        thread = self.ledger.thread(owner, *((self.people[name], role) for name, role in roles.items()))
        everyone = {"owner": "OWNER", **roles}
        self.threads.append(ModelThread(thread.id, everyone, offset=len(everyone), read=dict.fromkeys(everyone, 0)))
        state = self.ledger.state(thread)
        assert state is not None
        self.followers[thread.id] = Follower(state)
        self.followers[thread.id].members = set(everyone)
        self.position += len(everyone)
        self.run([(0, 0, len(self.threads) - 1, 0, n) for n in (2, 4, 8)])

    # One step: what is asked of the store, and what of the model

    def step(self, kind: int, who: int, thread: int, a: int, b: int) -> tuple[Any, Callable[[], list[str]]]:
        name, whom = USERS[who % len(USERS)], USERS[a % len(USERS)]
        model = self.threads[thread % len(self.threads)]
        base: dict[str, Any] = {"identity": self.people[name], "thread_id": model.id}
        near = self.message_ids if a % 6 == 5 else list(model.messages)  # mostly one of this thread
        message = near[a % len(near)] if near else "none"
        target = {"user_id": self.people[whom].user.id}
        version = (None, None, 1, 2)[b % 4]
        match kind:
            case 0 | 1 | 2:
                return self.posting(name, model, base, message if b % 3 == 0 else None, b)
            case 3:
                edit = EditMessage(**base, message_id=message, content=f"edit {b % 2}", if_version=version)
                return edit, lambda: model.edit(name, message, f"edit {b % 2}", version)
            case 4:
                return DeleteMessage(**base, message_id=message), lambda: model.delete_message(name, message)
            case 5 | 6:
                emoji, wanted = EMOJI[b % 2], (None, True, False)[b % 3]
                react = React(**base, message_id=message, emoji=emoji, wanted=wanted)
                return react, lambda: model.react(name, message, emoji, wanted)
            case 7:
                role: Any = ROLES[b % 3]
                return AddMember(**base, **target, role=role), lambda: model.add(name, whom, role)
            case 8:
                role = ROLES[b % 3]
                return UpdateMember(**base, **target, role=role), lambda: model.give_role(name, whom, role)
            case 9:
                return RemoveMember(**base, **target), lambda: model.remove(name, whom)
            case 10:
                offset = None if b % 2 else b
                return MarkRead(**base, offset=offset), lambda: model.mark_read(name, offset)
            case 11:
                title, status = (None, "A", "B")[a % 3], (None, "ACTIVE", "CLOSED", "ACTIVE")[b % 4]
                update = UpdateThread(
                    **base, title=title or UNSET, status=status or UNSET, if_version=version
                )  # fmt: skip
                return update, lambda: model.update(name, title, status, version)
            case _:
                return DeleteThread(**base), lambda: model.delete(name)

    def posting(
        self, name: str, model: ModelThread, base: dict[str, Any], parent: str | None, b: int
    ) -> tuple[Any, Callable[[], list[str]]]:
        uid = self.message_ids[b % len(self.message_ids)] if self.message_ids and b % 7 == 0 else new_id()
        taken = {message for thread in self.threads for message in thread.messages}
        key = once(f"key {b % 5}", f"request {b % 2}") if b % 4 == 1 else None
        command = PostMessage(**base, message_id=uid, content=f"text {b}", parent_id=parent, once=key)

        def foretell() -> list[str]:
            if key is not None and (name, key.key) in self.keys:
                refuse(self.keys[name, key.key] == key.fingerprint, "idempotency_key_reused")
                return []
            now_taken = taken | {message for thread in self.threads for message in thread.messages}
            types = model.post(name, uid, f"text {b}", parent, now_taken)
            self.message_ids.append(uid)
            if key is not None:
                self.keys[name, key.key] = key.fingerprint
            return types

        return command, foretell

    def run(self, batch: list[tuple[int, int, int, int, int]]) -> None:
        pairs = [self.step(*numbers) for numbers in batch]
        before = self.ledger.dump()
        outcomes = self.ledger.apply(*(command for command, _ in pairs))
        for (command, foretell), outcome in zip(pairs, outcomes, strict=True):
            self.compare(command, foretell, outcome)
        if all(isinstance(outcome, XpError) for outcome in outcomes):
            assert self.ledger.dump() == before

    def compare(self, command: Any, foretell: Callable[[], list[str]], outcome: Done | XpError) -> None:
        types, code = foretold(foretell)
        if code is not None:
            assert isinstance(outcome, XpError), (command, code)
            assert outcome.code == code, command
            return
        assert isinstance(outcome, Done), (command, outcome)
        assert [event.type for event in outcome.events] == types, command
        for event in outcome.events:
            self.position += 1
            assert event.position == self.position
            self.followers[event.thread_id].take(event)

    # After every batch

    def check(self) -> None:
        assert self.ledger.one("SELECT position FROM log_head") == self.position
        for model in self.threads:
            self.check_thread(model, self.followers[model.id])

    def check_thread(self, model: ModelThread, follower: Follower) -> None:
        state = self.ledger.state(model.id)
        assert (state is None) is model.deleted
        if state is None:
            assert follower.state.deleted
            return
        assert state == follower.state
        names = {who.user.key: name for name, who in self.people.items()}
        assert {names[key]: role for key, role in state.roles.items()} == model.roles
        assert follower.members == model.roles.keys()
        assert (state.offset, state.status) == (model.offset, model.status)
        self.check_counts(model)
        self.check_messages(model, follower)
        root = self.people["root"]
        events = self.ledger.ask(log.after_offset, root, model.id, 0, limit=10_000).events
        assert [event.offset for event in events] == list(range(1, model.offset + 1))

    def check_counts(self, model: ModelThread) -> None:
        root = self.people["root"]
        thread = self.ledger.ask(threads.one, root, model.id)
        assert (thread.message_count, thread.title, thread.version) == (len(model.messages), model.title, model.version)
        assert (thread.last_message.id if thread.last_message else None) == next(reversed(model.messages), None)
        members = self.ledger.ask(threads.members, root, model.id, limit=99, after=None).items
        assert {m.user.name: m.last_read_number for m in members} == {name: model.read[name] for name in model.roles}

    def check_messages(self, model: ModelThread, follower: Follower) -> None:
        page = self.ledger.ask(messages.page, self.people["root"], model.id, limit=10_000, after="0")
        found = {message.id: message for message in page.items}
        assert list(found) == list(model.messages)
        for uid, told in model.messages.items():
            message = found[uid]
            assert (message.content, message.version, message.deleted_at is not None) == (
                told.content, told.version, told.deleted,
            )  # fmt: skip
            assert (message.offset, message.number, message.parent_id) == (told.offset, told.number, told.parent)
            assert (message.author.name, follower.messages[uid]) == (
                told.author, (told.content, told.version, told.deleted),
            )  # fmt: skip
            given = {group.emoji: [user.name for user in group.users] for group in message.reactions}
            assert given == {emoji: users for emoji, users in told.reactions.items() if users}
            counts = {emoji: n for (of, emoji), n in follower.reactions.items() if of == uid and n}
            assert counts == {emoji: len(users) for emoji, users in given.items()}


small = st.integers(0, 11)
kinds = st.sampled_from([*range(12)] * 4 + [12])
askers = st.sampled_from([0, 0, 0, 0, 1, 1, 1, 2, 3, 4])
steps = st.tuples(kinds, askers, st.sampled_from([0, 0, 0, 1]), small, small)
batches = st.lists(st.lists(steps, min_size=1, max_size=6), min_size=4, max_size=16)


def worlds() -> Iterator[World]:
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(Path(folder) / "experience.db")
        try:
            yield World(ledger)
        finally:
            ledger.close()


@settings(max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(batches)
def test_the_store_does_what_the_model_says(sequence: list[list[tuple[int, int, int, int, int]]]) -> None:
    for world in worlds():
        for batch in sequence:
            world.run(batch)
            world.check()
        world.ledger.reopen()
        world.check()
        findings = [finding for _, finding in integrity.check(world.ledger.store.database) if finding is not None]
        assert findings == []
