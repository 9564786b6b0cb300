"""By what name a user is found: an index of names, kept with every change of them; nobody looks at all members."""
# ruff: noqa: RUF001 - letters that look alike

from importlib import import_module
from pathlib import Path

import pytest

from actors.auth.identity import Origin
from actors.resources.sessions import SignInByProvider
from actors.resources.users import CreateUser, DeleteUser, EnsureUser, UpdateUser
from storage.database import open_writer
from storage.journal.transaction import Transaction
from storage.resources.notifications import mention_lookup as naming
from storage.resources.users import writing as users
from storage.schema import migrating as schema
from tests.builders import Ledger, options, post


def named(ledger: Ledger, text: str, *people: str) -> list[str]:
    """Of members with these names: those who are notified of the text."""
    owner = ledger.user("Owner")
    members = [ledger.user(name) for name in people]
    thread = ledger.thread(owner, *members)
    ledger.apply(post(owner, thread, text))
    found = ledger.sql(
        "SELECT u.name FROM notification n JOIN user u ON u.id = n.user_id"
        " WHERE n.kind = 'mention' AND n.thread_id = ?",
        thread.key,
    )
    return sorted(name for (name,) in found)


@pytest.mark.parametrize(
    ("text", "people", "who"),
    [
        ("@प्रिया look", ["प्रिया", "Bo"], ["प्रिया"]),
        ("@bo님 확인", ["Bo", "Bob"], ["Bo"]),
        ("@O’Brien look", ["O", "O'Brien"], ["O'Brien"]),
        ("@jeanluc", ["Jean Luc", "JeanLuc"], ["Jean Luc", "JeanLuc"]),
        ("@田中さん", ["田中", "田中さん"], ["田中さん"]),
        ("- ```\n  @bo\n  ```", ["Bo"], []),
        ("https://x/?to=@all", ["Bo"], []),
        ("@all님", ["Bo", "Cy"], ["Bo", "Cy"]),
    ],
)
def test_who_is_named_is_notified(ledger: Ledger, text: str, people: list[str], who: list[str]) -> None:
    assert named(ledger, text, *people) == who


def test_nobody_is_found_in_another_thread(ledger: Ledger) -> None:
    ana, bob, outside = ledger.user("Ana"), ledger.user("Bob"), ledger.user("B ob")
    here, there = ledger.thread(ana, bob), ledger.thread(ana, outside)
    ledger.apply(post(ana, here, "@bob"), post(ana, there, "hello"))
    notified = ledger.sql("SELECT user_id, thread_id FROM notification WHERE kind = 'mention'")
    assert notified == [(bob.user.key, here.key)]


def test_a_thread_may_be_as_large_as_it_likes(ledger: Ledger) -> None:
    owner, last = ledger.user("Owner"), ledger.user("The Last")
    thread = ledger.thread(owner, last)
    database = ledger.store.database.connection()
    database.executemany(
        "INSERT INTO user (uid, subject, email, name, role, kind, domain, claims, status, metadata, version,"
        " created_at, updated_at) VALUES (?, ?, '', 'x', 'USER', 'HUMAN', '', '', 'ACTIVE', '{}', 1, 0, 0)",
        [(f"u{n}", f"s{n}") for n in range(1_500)],
    )
    database.execute(
        "INSERT INTO member (thread_id, user_id, role, last_read_offset, last_read_number, muted, version, joined_at)"
        f" SELECT {thread.key}, id, 'MEMBER', 0, 0, 0, 1, 0 FROM user WHERE uid LIKE 'u%'"
    )
    ledger.apply(post(owner, thread, "@thelast"))
    assert ledger.one("SELECT user_id FROM notification WHERE kind = 'mention'") == last.user.key


def test_a_name_is_looked_up_by_an_index(ledger: Ledger) -> None:
    text = naming.SELECT_BEARERS.text(ledger.store.database, 2)
    plan = [row[3] for row in ledger.sql(f"EXPLAIN QUERY PLAN {text}", 1, "a", 1, "b")]
    scanned = {line for line in plan if line.startswith("SCAN")}
    assert scanned <= {"SCAN given", "SCAN 2 CONSTANT ROWS"}, plan
    assert any("SEARCH" in line and "handle=?" in line for line in plan), plan
    assert any("SEARCH" in line and "user_id=? AND thread_id=?" in line for line in plan), plan


def handles(ledger: Ledger, user_key: int) -> set[str]:
    return {handle for (handle,) in ledger.sql("SELECT handle FROM user_handle WHERE user_id = ?", user_key)}


def test_the_index_follows_every_change_of_a_name(ledger: Ledger) -> None:
    root = ledger.admin("root")
    made = ledger.do(CreateUser(identity=root, email="Bo.B@x.io", name="Bo Bø", role="USER", kind="HUMAN")).result
    assert handles(ledger, made.key) == {"bobø", "bo.b"}
    ledger.do(UpdateUser(identity=root, user_id=made.id, name="O’Brien"))
    assert handles(ledger, made.key) == {"o'brien", "bo.b"}
    ledger.do(UpdateUser(identity=root, user_id=made.id, email="obrien@x.io"))
    assert handles(ledger, made.key) == {"o'brien", "obrien"}
    ledger.do(UpdateUser(identity=root, user_id=made.id, avatar_url="https://x/y"))
    assert handles(ledger, made.key) == {"o'brien", "obrien"}
    ledger.do(DeleteUser(identity=root, user_id=made.id, content="anonymise"))
    assert handles(ledger, made.key) == set(), "nothing of the name is left"


def test_somebody_who_signs_in_by_a_provider_is_found(ledger: Ledger) -> None:
    signed_in = SignInByProvider(
        issuer="https://x", subject="s", email="Bo.B@x.io", name="Bo\u200b Bø", avatar_url=None, domain="x.io",
        refresh_hash=b"", origin=Origin("", "", ""),
    )  # fmt: skip
    with ledger.store.database.atomic():
        made = users.insert_from_provider(Transaction(ledger.store.database, 1), signed_in)
    assert (made.name, handles(ledger, made.key)) == ("Bo Bø", {"bobø", "bo.b"})


def test_a_token_that_brings_another_name(ledger: Ledger) -> None:
    ana = ledger.user("Ana")
    assert "ana" in handles(ledger, ana.user.key)
    ledger.do(
        EnsureUser(
            subject=ana.user.subject, email=ana.user.email, name="प्रिया", domain="", role=None, kind=ana.user.kind
        )
    )
    assert "प्रिया" in handles(ledger, ana.user.key)
    assert "ana" not in handles(ledger, ana.user.key) - {ana.user.email.partition("@")[0]}


def test_the_migration_finds_those_who_are_there_already(tmp_path: Path) -> None:
    database = open_writer(options(tmp_path / "experience.db"))
    schema.runner(database).up(target="0008_unread")
    people = [("José Sol", "J.Sol@x.io"), ("प्रिया", ""), ("", ""), ("O’Brien", "obrien@x.io"), ("bo", "bo@x.io")]
    database.connection().executemany(
        "INSERT INTO user (id, uid, subject, email, name, role, kind, domain, claims, status, metadata, version,"
        " created_at, updated_at) VALUES (?, ?, ?, ?, ?, 'USER', 'HUMAN', '', '', 'ACTIVE', '{}', 1, 0, 0)",
        [(n, f"u{n}", f"s{n}", email, name) for n, (name, email) in enumerate(people, 1)],
    )
    schema.migrate(database, tmp_path)
    found = database.execute_sql("SELECT user_id, handle FROM user_handle ORDER BY user_id, handle").fetchall()
    assert found == [(1, "j.sol"), (1, "josésol"), (2, "प्रिया"), (4, "o'brien"), (4, "obrien"), (5, "bo")]
    database.close()


def test_names_of_before_are_compared_as_they_are_now(ledger: Ledger) -> None:
    """By the migration: a letter without its dot, once kept as another one."""
    person, gone = ledger.user("Işık"), ledger.user("Gone")
    ledger.sql("UPDATE user_handle SET handle = 'ışık' WHERE handle = 'işik'")
    ledger.sql("DELETE FROM user_handle WHERE user_id = ?", gone.user.key)
    import_module("storage.schema.migrations.0012_handles_anew").up(None, ledger.store.database)
    found = ledger.sql("SELECT handle FROM user_handle WHERE user_id IN (?, ?)", person.user.key, gone.user.key)
    assert "işik" in {handle for (handle,) in found}
    assert not {handle for (handle,) in found} & {"ışık", "gone"}
