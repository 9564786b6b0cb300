"""Every damage is found, by the rule that it breaks; and nothing is found where nothing is wrong."""

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from actors import commands, limits
from actors.auth.identity import Identity
from actors.resources.acknowledgements import Acknowledge
from actors.resources.comments.anchors import Anchor
from actors.resources.members import AddMember, MarkRead, RemoveMember, UpdateMember
from actors.resources.messages import AskToAcknowledge, DeleteMessage, EditMessage, Message
from actors.resources.reactions import React
from actors.resources.threads import CreateThread, DeleteThread, Thread, UpdateThread
from actors.resources.users import DeleteUser
from actors.resources.webhooks import CreateWebhook, QueueTest
from storage.database import DatabaseOptions
from storage.maintenance import integrity
from storage.maintenance.integrity import Finding
from storage.maintenance.integrity_rules import RULES
from storage.maintenance.opening import snapshot
from tests.builders import Ledger, once, post
from tests.storage.resources.artifacts.desk import Desk
from tests.storage.resources.files.shelf import Shelf

HOUR = 3_600_000


def findings(path: Path) -> dict[str, Finding]:
    with snapshot(DatabaseOptions(path)) as database:
        looks = list(integrity.check(database))
    assert len(looks) == integrity.CHECKS
    return {name: finding for name, finding in looks if finding is not None}


class Lived:
    """A database in which something of everything has happened."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.ana, self.bo = ledger.user("ana"), ledger.user("bo")
        self.thread = ledger.thread(self.ana, self.bo)
        self.other = ledger.thread(self.bo, self.ana)
        self.first = ledger.post(self.ana, self.thread, "first")
        self.answer = ledger.post(self.bo, self.thread, "answer", parent_id=self.first.id)
        self.elsewhere = ledger.post(self.bo, self.other, "elsewhere")
        self.edited = ledger.post(self.ana, self.thread, "a slip")
        self.gone = ledger.post(self.ana, self.thread, "secret")
        ledger.index()
        self.edit(self.ana, self.edited, "edited")
        self.edit(self.ana, self.gone, "another secret")
        self.react(self.bo, self.first)
        self.react(self.bo, self.gone)
        ledger.do(DeleteMessage(identity=self.ana, thread_id=self.thread.id, message_id=self.gone.id))
        ledger.do(MarkRead(identity=self.bo, thread_id=self.thread.id))
        ledger.do(post(self.ana, self.thread, "once", once=once()))
        Shelf(ledger).add(self.ana, self.thread)
        desk = Desk(ledger)
        artifact = desk.create(self.ana, self.thread)
        desk.measure(self.ana, artifact, [["[1]", "[2]"]])
        desk.propose(self.ana, artifact)
        first = desk.comment(self.ana, artifact, anchor=Anchor(""))
        desk.comment(self.bo, artifact, parent_id=first.id)
        desk.stream(self.ana, artifact, "Some words")
        webhook = CreateWebhook(
            identity=self.ana, name="Agent", url="https://agent.example.com/", events=("message.created",),
            thread_ids=None, ordered=False, secret="whsec_c2VjcmV0",
        )  # fmt: skip
        ledger.do(QueueTest(identity=self.ana, webhook_id=ledger.do(webhook).result.id))  # type: ignore[attr-defined]
        asking = ledger.post(self.ana, self.thread, "read this", acknowledgement=AskToAcknowledge())
        ledger.do(Acknowledge(identity=self.bo, thread_id=self.thread.id, message_id=asking.id))

    def edit(self, who: Identity, message: Message, content: str) -> None:
        edit = EditMessage(
            identity=who, thread_id=message.thread_id, message_id=message.id, content=content
        )  # fmt: skip
        self.ledger.do(edit)

    def react(self, who: Identity, message: Message) -> None:
        self.ledger.do(React(identity=who, thread_id=message.thread_id, message_id=message.id, emoji="👍"))

    def delete(self, thread: Thread) -> None:
        self.ledger.do(DeleteThread(identity=self.ana, thread_id=thread.id))

    def damage(self, *statements: str) -> dict[str, Finding]:
        """Of a database that nobody else has open, and without its references being looked at."""
        self.ledger.close()
        with closing(sqlite3.connect(self.ledger.path)) as database, database:
            for statement in statements:
                database.execute(statement)
        return findings(self.ledger.path)


@pytest.fixture
def lived(ledger: Ledger) -> Lived:
    return Lived(ledger)


def test_nothing_is_found_where_nothing_is_wrong(lived: Lived) -> None:
    assert findings(lived.ledger.path) == {}


def test_an_empty_database(ledger: Ledger) -> None:
    assert findings(ledger.path) == {}


def test_an_entry_of_a_newer_release_is_no_damage(ledger: Ledger) -> None:
    """From which this one was rolled back to: its backups hold."""
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    ledger.do(UpdateThread(identity=ana, thread_id=thread.id, title="Another"))
    ledger.sql("UPDATE event SET type = 'thread.moved' WHERE type = 'thread.updated'")
    assert ledger.one("SELECT count(*) FROM event WHERE type = 'thread.moved'") == 1
    assert findings(ledger.path) == {}


def test_a_reader_in_the_middle_of_writing(ledger: Ledger) -> None:
    """What another transaction has not yet committed is not there."""
    lived = Lived(ledger)
    with ledger.store.database.atomic("IMMEDIATE"):
        ledger.sql("UPDATE thread SET message_count = 99")
        assert findings(ledger.path) == {}
    assert lived.damage().keys() == {"counted messages"}


Damage = tuple[str, str, str]
"""(the rule, SQL that breaks it, what is said)"""


def _action(of: str, where: str, status: str = "pending") -> str:
    """SQL that puts an action of the user `of` on a message."""
    return f"""
        INSERT INTO action (uid, message_id, subject_version, author_id, user_id, block_id, action_id, kind, value,
                            state, is_counted_once, status, text, errors, correlation_id, version, created_at,
                            expires_at)
        SELECT 'x', m.id, 1, m.author_id, {of}, 'b', 'a', 'button', 'null', '{{}}', 0, '{status}', '', '{{}}', '', 1, 1,
               1 FROM message AS m WHERE {where} LIMIT 1"""


def _schedule(status: str, ended_at: str, thread: str = "1", message: str = "'m'") -> str:
    """SQL that adds a scheduled message of a user."""
    return f"""
        INSERT INTO schedule (uid, kind, user_id, thread_id, message_id, content, metadata, due_at, local_time,
                              time_zone, status, reason, version, created_at, ended_at)
        VALUES ('x', 'message', 1, {thread}, {message}, '', '{{}}', 1, '', 'UTC', '{status}', '', 1, 1, {ended_at})"""


ANOTHER = "(SELECT u.id FROM user AS u WHERE u.id <> m.author_id)"

DAMAGES: tuple[Damage, ...] = (
    (
        "deleted messages ask for nothing",
        "UPDATE message SET deleted_at = 1, content = '' WHERE id = (SELECT message_id FROM acknowledgement_request)",
        "it asks to be acknowledged",
    ),
    (
        "every acknowledgement in the log",
        "UPDATE acknowledgement SET acknowledged_at = NULL",
        "was acknowledged by 0 users, and the log has 1 entries of it",
    ),
    ("actions on what is there", _action(ANOTHER, "deleted_at IS NOT NULL"), "there is an action x on it"),
    (
        "deadlines of forms that are there",
        """
        INSERT INTO form_deadline (message_id, block_id, expires_at)
        SELECT id, 'b', 1 FROM message WHERE deleted_at IS NOT NULL LIMIT 1""",
        "its form b has a deadline",
    ),
    (
        "actions are on what is another's, and answered by its author",
        _action("m.author_id", "deleted_at IS NULL"),
        "Action x is of 1, its message or artifact is of 1",
    ),
    ("what has ended has an end", _action(ANOTHER, "deleted_at IS NULL", "done"), "x is done, and ended at no time"),
    ("schedules that have ended have an end", _schedule("pending", "1"), "x is pending, and ended at 1"),
    ("schedules that have ended have an end", _schedule("cancelled", "NULL"), "x is cancelled, and ended at no time"),
    ("messages are scheduled in a thread", _schedule("pending", "NULL", "NULL"), "x is a message without a thread"),
    (
        "messages are scheduled in a thread",
        _schedule("pending", "NULL", "1", "NULL"),
        "x is a message without a thread",
    ),
    ("a scheduled message that was sent is there", _schedule("sent", "1"), "x is sent, but its message m was never"),
    (
        "runs of retention took something",
        "INSERT INTO retention_run (rule, started_at, items, rows, size) VALUES ('files', 1, 2, 1, 0)",
        "The run 1 of the retention rule files took 2 items in 1 rows",
    ),
    ("cursors of webhooks up to the heads", "UPDATE webhook SET position = 999", "has read up to 999"),
    ("deliveries that are over", "UPDATE webhook_delivery SET finished_at = 1", "is pending, and its end is 1"),
    ("counted references to blobs", 'UPDATE blob SET "references" = 5', "counts 5 references, it has 1"),
    ("counted references to blobs", "UPDATE blob SET unreferenced_at = 1", "counts 1 references, it has 1"),
    ("the newest version of a file", "UPDATE file SET version = 4", "names 4 as its newest version, it should be 1"),
    ("the room that files take", "UPDATE storage_use SET size = size + 1", "they should take"),
    ("counted references to bodies", 'UPDATE artifact_body SET "references" = 5', "counts 5 references, it has 3"),
    ("the newest version of an artifact", "UPDATE artifact SET version = 4", "names 4 as its newest version"),
    ("the history of an artifact", "UPDATE artifact SET dropped = 3", "has dropped 3"),
    ("counted rows of data sets", "UPDATE artifact_data SET next = 9", "counts 9 rows"),
    ("every entry has its artifact", "UPDATE event SET ref = 99 WHERE type = 'artifact.created'", "about artifact 99"),
    ("open proposals have their base", "UPDATE artifact_proposal SET status = 'rejected'", "is rejected, and its base"),
    ("every entry has its proposal", "UPDATE event SET ref = 99 WHERE type = 'proposal.created'", "about proposal 99"),
    ("anchored comments have their base", "UPDATE artifact_comment SET anchor = NULL", "its anchor is none"),
    (
        "replies are to a comment on the same artifact",
        "UPDATE artifact_comment SET parent_id = 2 WHERE id = 2",
        "which is a reply itself",
    ),
    ("every entry has its comment", "UPDATE event SET ref = 99 WHERE type = 'comment.created'", "about comment 99"),
    ("counted characters of streams", "UPDATE artifact_stream SET length = 3", "counts 3 characters that no version"),
    (
        "every entry has its stream",
        "UPDATE event SET ref = 99 WHERE type = 'artifact.stream_started'",
        "about stream 99",
    ),
    ("every artifact in the search index", "DELETE FROM artifact_text", "is not in the search index"),
    ("references", "UPDATE message SET author_id = 99 WHERE number = 1", "refers to a row of user"),
    ("references", "DELETE FROM thread WHERE id = 2", "refers to a row of thread"),
    ("one head", "DELETE FROM log_head", "0 heads"),
    ("one head", "INSERT INTO log_head (epoch, position) VALUES ('x', 99)", "2 heads"),
    ("positions up to the head", "UPDATE log_head SET position = 3", "is beyond its head, 3"),
    ("positions up to the head", "UPDATE event SET position = 0 WHERE position = 1", "Entry 0"),
    ("positions without a gap", "DELETE FROM event WHERE position = 3", "no entries 3 to 3"),
    ("positions without a gap", "UPDATE log_head SET position = position + 2", "no entries"),
    ("offsets without a gap", "DELETE FROM event WHERE position = 3", "it has"),
    ("offsets without a gap", 'UPDATE thread SET "offset" = "offset" + 1 WHERE id = 1', "it has"),
    ("offsets without a gap", 'UPDATE event SET "offset" = 0 WHERE position = 1', "entries from 0"),
    ("offsets without a gap", "DELETE FROM event WHERE thread_id = 1", "it has 0 entries from 0 to 0"),
    (
        "positions in the order of offsets",
        'UPDATE event SET "offset" = 50 - "offset" WHERE thread_id = 2',
        "the one before it",
    ),
    ("types of entries", "UPDATE event SET type = 'moved' WHERE position = 1", "of type moved"),
    ("a thread's position", "UPDATE thread SET position = 1 WHERE id = 1", "stands at position 1"),
    ("counted messages", "UPDATE thread SET message_count = 3 WHERE id = 2", "counts 3 messages, it has 1"),
    ("counted messages", "DELETE FROM message WHERE thread_id = 2", "counts 1 messages, it has 0"),
    (
        "numbers without a gap",
        "UPDATE message SET number = 7 WHERE number = 2",
        "number 7, by its place it should be 2",
    ),
    ("numbers without a gap", "UPDATE message SET number = 3 - number WHERE thread_id = 1 AND number < 3", "number 2"),
    ("the last message", "UPDATE thread SET last_message = NULL WHERE id = 1", "has none as its last message"),
    ("the last message", "UPDATE thread SET last_message = 5 WHERE id = 2", "has 5 as its last message"),
    ("every message in the log", "UPDATE message SET id = 77 WHERE number = 3", "position 77"),
    ("every message in the log", 'UPDATE message SET "offset" = 99 WHERE number = 3', "offset 99"),
    ("every message in the log", "UPDATE message SET thread_id = 2 WHERE number = 3", "has no entry"),
    ("every message in the log", "UPDATE event SET ref = 1 WHERE type = 'message.created'", "has no entry"),
    ("every entry has its message", "DELETE FROM message WHERE thread_id = 2", "(message.created)"),
    ("every entry has its message", "UPDATE event SET ref = 99 WHERE type = 'reaction.added'", "message 99"),
    ("every entry has its message", "UPDATE event SET ref = NULL WHERE type = 'message.deleted'", "message none"),
    ("every entry has its user", "UPDATE event SET ref = 99 WHERE type = 'read.updated'", "user 99"),
    ("every entry has its user", "UPDATE event SET ref = NULL WHERE type = 'member.added'", "user none"),
    ("answers stay in their thread", "UPDATE message SET parent = 99 WHERE number = 2", "answers message 99"),
    (
        "answers stay in their thread",
        "UPDATE message SET parent = (SELECT id FROM message WHERE thread_id = 2) WHERE thread_id = 1 AND number = 2",
        "its thread does not have",
    ),
    ("markers up to the head", "UPDATE member SET last_read_offset = 99 WHERE user_id = 2", "offset 99"),
    ("markers up to the head", "UPDATE member SET last_read_number = 99 WHERE user_id = 2", "message 99"),
    ("an owner", "UPDATE member SET role = 'MEMBER' WHERE thread_id = 1", "has no owner"),
    ("an owner", "DELETE FROM member WHERE thread_id = 1", "has no owner"),
    ("an owner", "UPDATE user SET status = 'DEACTIVATED' WHERE id = 1", "has no owner"),
    (
        "a built-in user",
        "UPDATE user SET subject = char(1) || 'system' WHERE id = 2",
        "System is ACTIVE with the role USER",
    ),
    ("empty tombstones", "UPDATE message SET content = 'secret' WHERE deleted_at IS NOT NULL", "content"),
    ("empty tombstones", "UPDATE message SET blocks = '[]' WHERE deleted_at IS NOT NULL", "content"),
    ("empty tombstones", "UPDATE message SET metadata = '{\"a\":1}' WHERE deleted_at IS NOT NULL", "content"),
    (
        "no history of deleted messages",
        "INSERT INTO message_revision SELECT id, 1, 'secret', NULL, '{}', 1, 0 FROM message WHERE deleted_at > 0",
        "what it said before",
    ),
    ("older versions are older", "UPDATE message_revision SET version = 9", "version 9 in its history"),
    (
        "reactions to what is there",
        "UPDATE message SET deleted_at = 1, content = '' WHERE id = (SELECT message_id FROM reaction)",
        "it has a reaction 👍",
    ),
    ("reactions to what is there", "UPDATE reaction SET message_id = 99", "Message 99"),
    ("every reaction in the log", "UPDATE reaction SET position = 1", "at position 1"),
    ("every reaction in the log", "UPDATE reaction SET position = 99", "at position 99"),
    ("one search index", "DELETE FROM search_progress", "made up to no position"),
    ("one search index", "UPDATE search_progress SET indexed = 99", "made up to 99"),
    ("one search index", "INSERT INTO search_progress (version, indexed) VALUES ('', 0)", "the log's head is"),
    ("every message in the search index", "INSERT INTO search (search) VALUES ('delete-all')", "Message c"),
    ("every title in the search index", "INSERT INTO search (search) VALUES ('delete-all')", "of thread c"),
    ("nothing else in the search index", "INSERT INTO search (rowid, tags) VALUES (99, 'km')", "of position 99"),
    ("where files joined their threads", "UPDATE file SET position = 1", "at position 1"),
    ("where files joined their threads", "UPDATE file SET thread_id = NULL", "where it has not joined"),
    (
        "every file of a thread in the search index",
        "UPDATE search_progress SET indexed = (SELECT position FROM log_head)",
        "File c",
    ),
    ("no other file in the search index", "INSERT INTO search (rowid, tags) VALUES (99, 'kf')", "of position 99"),
    ("nothing else in the search index", "UPDATE message SET deleted_at = 1 WHERE number = 1", "of position 5"),
    ("where artifacts are found", "UPDATE artifact SET position = 1 WHERE deleted_at IS NULL", "at position 1"),
    ("where artifacts are found", "UPDATE artifact SET position = NULL", "at position none"),
    (
        "every artifact among what a search finds",
        "UPDATE search_progress SET indexed = (SELECT position FROM log_head)",
        "Artifact c",
    ),
    (
        "no other artifact among what a search finds",
        "INSERT INTO search (rowid, tags) VALUES (99, 'kr')",
        "of position 99",
    ),
)


@pytest.mark.parametrize(("rule", "statement", "said"), DAMAGES, ids=[f"{d[0]}: {d[1][:80]}" for d in DAMAGES])
def test_every_damage_is_found(rule: str, statement: str, said: str, lived: Lived) -> None:
    found = lived.damage(statement)
    assert rule in found
    assert any(said in example for example in found[rule].examples), found[rule]
    assert all("{" not in example for finding in found.values() for example in finding.examples)


def test_every_rule_has_a_damage_that_breaks_it() -> None:
    assert {rule.name for rule in RULES} <= {damage[0] for damage in DAMAGES}


def test_many_findings_are_counted(lived: Lived) -> None:
    for _ in range(30):
        lived.ledger.thread(lived.ana)
    found = lived.damage("UPDATE thread SET message_count = 99")["counted messages"]
    assert (found.count, len(found.examples)) == (32, limits.FINDINGS_SHOWN)


def test_a_damaged_file(lived: Lived) -> None:
    lived.ledger.apply(*(post(lived.ana, lived.thread, f"{n} " * 100) for n in range(500)))
    lived.ledger.close()
    path = lived.ledger.path
    with path.open("r+b") as file:
        said = path.read_bytes().index(b"250 " * 100)  # not where the schema is: such a file opens no more
        file.seek(said - said % 4096)
        file.write(random.Random(1).randbytes(16_384))
    found = findings(path)
    assert "the file" in found
    assert found["the file"].examples[0].startswith(("SQLite says: ", "It could not be looked at"))
    assert any("could not be looked at" in example for finding in found.values() for example in finding.examples)


# Threads that are deleted are taken in steps


def grow_older(ledger: Ledger, milliseconds: int) -> None:
    """As if everything had happened earlier."""
    ledger.sql(f"UPDATE thread SET deleted_at = deleted_at - {milliseconds}")
    ledger.sql(f"UPDATE event SET time = time - {milliseconds}")


@pytest.mark.parametrize("rows", [1, 2, 7])
def test_nothing_is_wrong_between_the_steps(rows: int, lived: Lived) -> None:
    ledger = lived.ledger
    lived.delete(lived.thread)
    assert findings(ledger.path) == {}
    grow_older(ledger, HOUR + 1)
    assert findings(ledger.path) == {}
    steps = 0
    while ledger.do(commands.Purge(rows)).result:
        assert findings(ledger.path) == {}
        steps += 1
    assert steps >= 20 // rows
    assert ledger.one("SELECT count(*) FROM thread") == 1
    ledger.post(lived.ana, lived.other, "life goes on")
    assert findings(ledger.path) == {}


def test_a_gap_that_the_taken_thread_explains_and_one_that_it_does_not(lived: Lived) -> None:
    ledger = lived.ledger
    lived.delete(lived.thread)
    grow_older(ledger, HOUR + 1)
    while ledger.do(commands.Purge()).result:
        pass
    fresh = ledger.thread(lived.ana)
    for n in range(3):
        ledger.post(lived.ana, fresh, f"{n}")
    lost = ledger.one(
        'SELECT position FROM event WHERE thread_id = ? AND "offset" = 3', ledger.one("SELECT max(id) FROM thread")
    )
    found = lived.damage(f"DELETE FROM event WHERE position = {lost}")
    assert found["positions without a gap"].examples == (
        f"The log has no entries {lost} to {lost}, and no deleted thread explains it.",
    )


def test_a_thread_that_vanished_as_a_whole(lived: Lived) -> None:
    """Not an hour after its last event nobody can have taken it."""
    ledger = lived.ledger
    ledger.thread(lived.ana)
    tables = ("message", "event", "member", "notification")
    found = lived.damage(
        *(f"DELETE FROM {table} WHERE thread_id = 2" for table in tables), "DELETE FROM thread WHERE id = 2"
    )
    assert found.keys() == {"positions without a gap", "nothing else in the search index"}


def test_a_thread_just_deleted_is_still_whole(lived: Lived) -> None:
    lived.delete(lived.thread)
    found = lived.damage("DELETE FROM event WHERE thread_id = 1 AND type = 'read.updated'")
    assert "offsets without a gap" in found


def test_a_deleted_thread_has_nothing_beyond_its_head(lived: Lived) -> None:
    lived.delete(lived.thread)
    grow_older(lived.ledger, HOUR + 1)
    assert lived.damage('UPDATE thread SET "offset" = 3 WHERE id = 1').keys() == {
        "offsets without a gap",
        "markers up to the head",
        "a thread's position",
    }


def test_the_longest_member_owns_what_a_deleted_user_owned(lived: Lived) -> None:
    root = lived.ledger.admin("root")
    lived.ledger.do(DeleteUser(identity=root, user_id=lived.ana.user.id))
    assert lived.ledger.one("SELECT count(*) FROM member WHERE thread_id = 1 AND role = 'OWNER'") == 1
    assert findings(lived.ledger.path) == {}


Step = Callable[[Lived, random.Random], object]


@pytest.mark.parametrize("seed", range(5))
def test_whatever_is_done_leaves_nothing_to_find(seed: int, lived: Lived) -> None:
    """Commands in any order, refused or not, and purges between them."""
    luck = random.Random(seed)
    ledger = lived.ledger
    people = [lived.ana, lived.bo, ledger.user("cy"), ledger.admin("root")]
    threads, messages = [lived.thread, lived.other], [lived.first, lived.answer, lived.elsewhere, lived.gone]
    for n in range(150):
        who, thread, message, whom = (luck.choice(them) for them in (people, threads, messages, people))
        at = {"identity": who, "thread_id": thread.id}
        of = {"identity": who, "thread_id": message.thread_id, "message_id": message.id}
        choice = luck.choice(
            [
                AddMember(**at, user_id=whom.user.id, role=luck.choice(["OWNER", "MEMBER", "VIEWER"])),
                RemoveMember(**at, user_id=whom.user.id),
                UpdateMember(**at, user_id=whom.user.id, role=luck.choice(["OWNER", "MEMBER"])),
                MarkRead(**at, offset=luck.choice([None, 1, 5, 99])),
                EditMessage(**of, content=f"{n}"),
                DeleteMessage(**of),
                React(**of, emoji=luck.choice("👍🎉")),
                UpdateThread(**at, title=f"{n}"),
                CreateThread(identity=who, title=f"{n}"),
                *([DeleteThread(**at)] if luck.random() < 0.1 else []),
                *(post(who, thread, f"{n}", parent_id=luck.choice([None, message.id])) for _ in range(4)),
            ]
        )
        (outcome,) = ledger.apply(choice)
        result = getattr(outcome, "result", None)
        threads += [result] if isinstance(result, Thread) and isinstance(choice, CreateThread) else []
        messages += [result] if isinstance(result, Message) else []
    assert findings(ledger.path) == {}
    grow_older(ledger, HOUR + 1)
    while ledger.do(commands.Purge(5)).result:
        assert findings(ledger.path) == {}
