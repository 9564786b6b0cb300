"""`xp audit`."""

import csv
import io
import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from actors import limits
from actors.auth.identity import Origin
from actors.resources.audit import NoteForAudit
from tests.builders import Ledger
from tests.cli.conftest import Ran, Xp, sign_in
from tests.storage.resources.retention.aging import days_ago


@pytest.fixture
def some(xp: Xp, ledger: Ledger) -> list[str]:
    """A few entries: who did what."""
    ana = ledger.user("ana")
    ledger.admin("root")  # of administrators one stays
    sign_in(ledger, ana)
    xp("user", "set-role", "ana@example.com", "ADMIN")
    xp("user", "set-role", "ana@example.com", "USER")
    xp("session", "end-all", "ana@example.com")
    return ["sign_in", "update_user", "update_user", "end_sessions"]


def note(ledger: Ledger, **fields: Any) -> None:
    origin = Origin("10.0.0.9", "=HYPERLINK(evil)", "c1")
    ledger.do(
        NoteForAudit(**{"action": "sign_in", "origin": origin, "outcome": "refused", "reason": "no\nway"} | fields)
    )


def ids(ran: Ran) -> list[str]:
    return [entry["id"] for entry in ran.json]


# list


def test_the_newest_first(xp: Xp, ledger: Ledger, some: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.limits.XP_PAGE", 1)
    found = xp("audit", "list", "--json").json
    assert [entry["action"] for entry in found] == some[::-1]
    assert [entry["credential"].partition(":")[0] for entry in found] == ["terminal"] * 3 + ["session"]
    shown = xp("audit", "list").out
    for part in ("System", "terminal", "end_sessions", "sign_in", "10.0.0.1"):
        assert part in shown


def test_everything_that_the_terminal_writes_is_there(xp: Xp, ledger: Ledger, tmp_path: Path) -> None:
    thread = ledger.thread(ledger.user("bo"))
    ledger.admin("root")  # of administrators one stays
    ana = xp("user", "create", "ana@x.org", "--json").json["id"]
    session = sign_in(ledger, ledger.refreshed(ledger.user("bo")))
    for words in (
        ("user", "set-role", ana, "ADMIN"), ("user", "link", ana), ("user", "deactivate", ana),
        ("user", "activate", ana), ("user", "export", ana, "-"), ("key", "create", ana, "--name", "n"),
        ("session", "end", session.id), ("token", "revoke", "t1"), ("thread", "post", thread.id, "hello"),
        ("user", "delete", ana, "--yes"),
    ):  # fmt: skip
        assert xp(*words).code == 0, words
    by_it = [entry for entry in xp("audit", "list", "--json").json[::-1] if entry["action"] != "sign_in"]
    assert [entry["action"] for entry in by_it] == [
        "create_user", "update_user", "create_sign_in_link", "update_user", "update_user", "export_user",
        "create_api_key", "end_session", "revoke_token", "add_member", "create_message", "delete_user",
    ]  # fmt: skip
    assert {(entry["credential"], entry["actor_name"], entry["outcome"]) for entry in by_it} == {
        ("terminal", "System", "done")
    }
    assert verify(xp)["broken_at"] is None


def test_what_somebody_did_and_what_was_done_to_them(xp: Xp, ledger: Ledger, some: list[str]) -> None:
    ana = ledger.user("ana").user
    by_her = xp("audit", "list", "--actor", "ana@example.com", "--json").json
    assert [entry["action"] for entry in by_her] == ["sign_in"]
    assert xp("audit", "list", "--actor", ana.id, "--json").json == by_her
    to_her = xp("audit", "list", "--target", "ana@example.com", "--json").json
    assert [entry["action"] for entry in to_her] == some[:0:-1]
    assert xp("audit", "list", "--target", ana.id, "--json").json == to_her
    both = xp("audit", "list", "--target", ana.id, "--action", "update_user", "--json")
    assert [entry["after"]["role"] for entry in both.json] == ["USER", "ADMIN"]
    assert xp("audit", "list", "--action", "nothing", "--json").json == []
    assert xp("audit", "list", "--target", "nothing", "--json").json == []


def test_as_many_as_wanted(xp: Xp, ledger: Ledger, some: list[str]) -> None:
    all_of_them = ids(xp("audit", "list", "--json"))
    two = xp("audit", "list", "--limit", "2", "--json")
    assert ids(two) == all_of_them[:2]
    assert two.err == "Only 2 are shown; --limit 0 lists all.\n"
    for limit in ("0", "4", "9"):
        every = xp("audit", "list", "--limit", limit, "--json")
        assert (ids(every), every.err) == (all_of_them, "")


def test_bad_input(xp: Xp, ledger: Ledger) -> None:
    assert xp("audit", "list", "--actor", "nobody").sentence == "There is no user 'nobody'."
    assert xp("audit", "list", "--target", "no@body").sentence == "There is no user 'no@body'."
    assert xp("audit", "list", "--limit", "-1").code == 2


def test_strangers_cannot_write_to_the_terminal(xp: Xp, ledger: Ledger) -> None:
    note(ledger, reason="\x1b[2J", target_id="\x1b]0;owned\x07")
    shown = xp("audit", "list").out
    assert "\x1b" not in shown
    assert "refused" in shown


# verify


def verify(xp: Xp, *arguments: str) -> Any:
    ran = xp("audit", "verify", "--json", *arguments)
    document = json.loads(ran.out)
    whole = document["broken_at"] is None and document["has_noted_head"] is not False
    assert ran.code == (0 if whole else 1)
    return document


def test_a_whole_chain(xp: Xp, ledger: Ledger, some: list[str]) -> None:
    newest = ledger.one("SELECT hash FROM audit ORDER BY id DESC LIMIT 1")
    assert verify(xp) == {
        "entries": 4, "head": newest, "number": 4, "broken_at": None, "has_noted_head": None, "noted_head": None,
        "removed": None,
    }  # fmt: skip
    ran = xp("audit", "verify")
    assert (ran.code, ran.out) == (0, f"4 entries; each matches the previous one.\nhead {newest}:4\n")


def test_an_empty_one(xp: Xp, ledger: Ledger) -> None:
    assert verify(xp) == {
        "entries": 0, "head": "", "number": 0, "broken_at": None, "has_noted_head": None, "noted_head": None,
        "removed": None,
    }  # fmt: skip
    assert xp("audit", "verify").out == "0 entries; each matches the previous one.\nhead –\n"


@pytest.mark.parametrize(
    ("tampering", "broken"),
    [
        ('UPDATE audit SET after = \'{"role":"USER"}\' WHERE id = 2', 2),
        ("UPDATE audit SET actor_id = NULL WHERE id = 3", 3),
        ("UPDATE audit SET hash = 'x' WHERE id = 2", 2),
        ("DELETE FROM audit WHERE id = 2", 3),
        ("DELETE FROM audit WHERE id = 1", 2),
        ("UPDATE audit SET id = 9 WHERE id = 2", 3),
    ],
)
def test_what_was_tampered_with(tampering: str, broken: int, xp: Xp, ledger: Ledger, some: list[str]) -> None:
    entry = ledger.one("SELECT uid FROM audit WHERE id = ?", broken)
    ledger.sql(tampering)
    found = verify(xp)
    assert (found["broken_at"], found["head"]) == (entry, None)
    ran = xp("audit", "verify")
    assert ran.code == 1
    assert f"Broken at entry {entry}, number " in ran.out


def test_a_noted_head_shows_what_was_cut_off(xp: Xp, ledger: Ledger, some: list[str]) -> None:
    noted = verify(xp)["head"]
    xp("user", "set-role", "ana@example.com", "ADMIN")
    assert verify(xp, "--head", noted)["has_noted_head"] is True
    ran = xp("audit", "verify", "--head", noted.upper())
    assert ran.code == 0
    assert f"The noted head {noted} is in the chain" in ran.out
    ledger.sql("DELETE FROM audit WHERE id >= 4")
    assert verify(xp)["entries"] == 3  # what is left follows
    assert verify(xp, "--head", noted)["has_noted_head"] is False
    ran = xp("audit", "verify", "--head", noted)
    assert ran.code == 1
    assert "is not in the chain: entries were cut off or rewritten." in ran.out


@pytest.mark.parametrize("head", ["", "abc", "g" * 64, "a" * 65, f"{'a' * 64}:", f"{'a' * 64}:0", f"{'a' * 64}:x"])
def test_a_head_that_is_none(head: str, xp: Xp, ledger: Ledger) -> None:
    ran = xp("audit", "verify", "--head", head)
    assert ran.code == 2
    assert "expected the 64 hexadecimal digits" in ran.err


# After AUDIT_DAYS


@pytest.fixture
def aged(xp: Xp, ledger: Ledger) -> list[str]:
    """Three entries from before a year, two from within: their hashes."""
    with days_ago(400):
        for _ in range(3):
            note(ledger)
    for _ in range(2):
        note(ledger)
    return [found for (found,) in ledger.sql("SELECT hash FROM audit ORDER BY id")]


def test_what_a_rule_has_removed(xp: Xp, ledger: Ledger, aged: list[str]) -> None:
    looked = xp("retention", "run", "--dry-run", "--audit-days", "365", "--json").json["rules"]
    assert [(tally["rule"], tally["items"]) for tally in looked] == [("audit_entries", 3)]
    ran = xp("retention", "run", "--json", AUDIT_DAYS="365")
    assert ran.json["rules"] == looked
    assert [run["rule"] for run in xp("retention", "log", "--json").json] == ["audit_entries"]
    found = verify(xp)
    assert (found["entries"], found["number"], found["removed"]["entries"]) == (3, 6, 3)
    shown = xp("audit", "verify").out
    assert "3 entries; each matches the previous one.\nAUDIT_DAYS has removed 3 entries before them, " in shown
    assert f"head {found['head']}:6\n" in shown
    assert xp("db", "check").code == 0
    assert "3 before them removed by AUDIT_DAYS" in xp("doctor").out


def test_a_noted_head_that_a_rule_has_removed(xp: Xp, ledger: Ledger, aged: list[str]) -> None:
    xp("retention", "run", AUDIT_DAYS="365")
    first, newest = f"{aged[0]}:1", f"{aged[4]}:5"
    assert (verify(xp, "--head", newest)["noted_head"], verify(xp, "--head", first)["noted_head"]) == (
        "in_chain", "removed",
    )  # fmt: skip
    ran = xp("audit", "verify", "--head", first)
    assert ran.code == 0
    assert f"The noted head {first} has been removed by AUDIT_DAYS, with all entries up to " in ran.out
    alone = xp("audit", "verify", "--head", aged[0])
    assert alone.code == 1, "without its number it may have been cut off"
    assert "Or AUDIT_DAYS has removed it, which only its number could show" in alone.out
    moved = xp("audit", "verify", "--head", f"{aged[4]}:4")
    assert moved.code == 1
    assert "under another number" in moved.out


def test_a_run_that_is_killed_between_its_steps(xp: Xp, ledger: Ledger, command_line: list[str]) -> None:
    entries = 20 * limits.RETENTION_AUDIT_STEP
    with days_ago(400):
        for _ in range(20):
            noted = NoteForAudit(action="sign_in", origin=Origin("", "", ""))
            ledger.apply(*[noted] * limits.RETENTION_AUDIT_STEP)
    environment = {**os.environ, **xp.environment, "AUDIT_DAYS": "365"}
    environment = {name: value for name, value in environment.items() if value is not None}
    run = subprocess.Popen([*command_line, "retention", "run"], env=environment, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while ledger.one("SELECT count(*) FROM audit WHERE action = 'prune_audit'") == 0:
            assert time.monotonic() < deadline
            assert run.poll() is None
    finally:
        run.kill()
        run.wait()
    removed = verify(xp)["removed"]["entries"]
    assert 0 < removed < entries
    assert xp("db", "check").code == 0
    (tally,) = xp("retention", "run", "--json", AUDIT_DAYS="365").json["rules"]
    assert tally["items"] == entries - removed
    assert verify(xp)["removed"]["entries"] == entries


def test_a_backup_has_the_log_as_it_was(xp: Xp, ledger: Ledger, aged: list[str], tmp_path: Path) -> None:
    before, after = tmp_path / "before.db", tmp_path / "after.db"
    assert xp("db", "backup", before).code == 0
    xp("retention", "run", AUDIT_DAYS="365")
    assert xp("db", "backup", after).code == 0
    ledger.close()
    for copy, entries in ((before, 5), (after, 3)):
        assert xp("db", "restore", copy).code == 0
        assert verify(xp)["entries"] == entries + 1, "the restore is one, too"
        assert xp("db", "check").code == 0


# export


def test_only_what_goes_first(xp: Xp, ledger: Ledger, aged: list[str], tmp_path: Path) -> None:
    for before, count in (("365d", 3), ("500d", 0), ("2100-01-01", 5)):
        lines = xp("audit", "export", "-", "--before", before).lines
        assert [line["hash"] for line in lines] == aged[:count]
    xp("retention", "run", AUDIT_DAYS="365")
    left = xp("audit", "export", "-").lines
    assert left[-1]["after"]["hash"] == aged[2], "an archive goes on where the one before ended"
    assert xp("audit", "export", "-", "--before", "soon").code == 2


def test_lines_of_json_the_oldest_first(xp: Xp, ledger: Ledger, some: list[str], tmp_path: Path) -> None:
    file = tmp_path / "audit.ndjson"
    assert xp("audit", "export", file).code == 0
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert lines[::-1] == xp("audit", "list", "--limit", "0", "--json").json
    assert xp("audit", "export", "-").lines == lines
    assert "the file exists" in xp("audit", "export", file).sentence
    assert xp("audit", "export", file, "--force", "--format", "csv").code == 0


def test_a_table_for_spreadsheets(xp: Xp, ledger: Ledger, some: list[str]) -> None:
    note(ledger)
    ran = xp("audit", "export", "-", "--format", "csv")
    first, *rows = list(csv.DictReader(io.StringIO(ran.out, newline="")))
    assert list(first) == list(xp("audit", "list", "--json").json[0])
    assert [first["action"], *(row["action"] for row in rows)] == [*some, "sign_in"]
    assert json.loads(rows[0]["after"]) == {"role": "ADMIN"}
    assert rows[0]["credential"] == "terminal"
    assert rows[-1]["actor_id"] == ""
    assert rows[-1]["reason"] == "no\nway"
    assert rows[-1]["user_agent"] == "'=HYPERLINK(evil)"  # no formula


def test_more_than_are_read_at_once(xp: Xp, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.limits.AUDIT_ENTRIES", 2)
    for _ in range(5):
        note(ledger)
    assert len(xp("audit", "export", "-").lines) == 5
    assert verify(xp)["entries"] == 5


def test_a_format_that_is_none(xp: Xp, ledger: Ledger) -> None:
    assert xp("audit", "export", "-", "--format", "xml").code == 2
