"""`xp files check`, `prune`, `rescan` and `rotate-key`."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from actors.auth.identity import Identity
from actors.resources.files.commands import DeleteFile
from actors.resources.files.processing import RecordScan
from server.files.downloads.url_keys import UrlKeyFiles
from storage.blobs import layout
from storage.blobs.folder import FolderStore
from storage.lock import data_folder_lock
from tests.builders import Ledger
from tests.cli.conftest import Xp, audited, by_terminal
from tests.cli.files.conftest import Desk, age
from tests.storage.blobs.made import stored

ANA = ("--as", "ana@example.com")


def surplus(xp: Xp, staging: Path, content: bytes = b"surplus") -> str:
    """A blob that is in the store alone, since yesterday."""

    async def fill() -> str:
        store = FolderStore(xp.folder / "blobs")
        digest = await stored(store, staging, content)
        await store.close()
        return digest

    digest = asyncio.run(fill())
    os.utime(xp.folder / "blobs" / layout.blob_path(digest), (1, 1))
    return digest


# check


def test_what_is_sound(xp: Xp, ledger: Ledger, desk: Desk, ana: Identity) -> None:
    desk.put(b"one", *ANA)
    desk.put(b"two", *ANA)
    desk.put(b"two", *ANA, name="again.txt")
    for words in ((), ("--quick",)):
        ran = xp("files", "check", *words)
        assert (ran.code, ran.err) == (0, "")
        assert ran.out == "2 blobs named, 2 stored (6 B): 0 missing, 0 damaged, 0 surplus.\n"


def test_what_is_missing_damaged_and_surplus(xp: Xp, ledger: Ledger, desk: Desk, ana: Identity, tmp_path: Path) -> None:
    missing, cut, changed = (desk.put(content, *ANA, name=f"{content.decode()}.txt") for content in (b"a", b"bb", b"c"))
    desk.blob(missing).unlink()
    desk.blob(cut).write_bytes(b"b")
    desk.blob(changed).write_bytes(b"C")
    extra = surplus(xp, tmp_path)
    found = xp("files", "check", "--json")
    assert found.code == 1
    named = {"id": missing["id"], "name": "a.txt", "version": 1}
    assert found.json["missing"] == [{"sha256": missing["sha256"], "files": [named]}]
    assert {each["files"][0]["name"] for each in found.json["damaged"]} == {"bb.txt", "c.txt"}
    assert found.json["surplus"] == [{"sha256": extra, "size": 7}]
    quick = xp("files", "check", "--quick", "--json").json
    assert [each["files"][0]["name"] for each in quick["damaged"]] == ["bb.txt"], "sizes tell without reading"
    text = xp("files", "check")
    assert (
        f"missing: {missing['sha256']}, of a.txt (version 1 of {missing['id']}); restore it from a backup." in text.err
    )
    assert f"surplus: {extra}" in text.err


def test_what_an_upload_has_just_stored_is_not_surplus(xp: Xp, ledger: Ledger, tmp_path: Path) -> None:
    digest = surplus(xp, tmp_path)
    os.utime(xp.folder / "blobs" / layout.blob_path(digest))
    assert xp("files", "check", "--json").json["surplus"] == []


def test_the_check_of_the_database_looks_at_the_store_too(xp: Xp, ledger: Ledger, desk: Desk, ana: Identity) -> None:
    file = desk.put(b"hello", *ANA)
    assert xp("db", "check").code == 0
    desk.blob(file).unlink()
    ran = xp("db", "check")
    assert ran.code == 1
    assert "the store of files: 1 finding" in ran.out
    assert f"{file['sha256']}, of notes.txt" in ran.out
    assert xp("db", "check", "--no-files").code == 0
    assert xp("db", "check", "--database", xp.database).code == 0, "a copy somewhere else has no store"
    (finding,) = xp("db", "check", "--json").json
    assert (finding["check"], finding["count"]) == ("the store of files", 1)


def test_a_store_that_cannot_be_reached_is_a_finding(xp: Xp, ledger: Ledger) -> None:
    url = "s3://bucket?endpoint=http://127.0.0.1:9"
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    ran = xp("db", "check", BLOB_URL=url, **keys)
    assert ran.code == 1
    assert "the store of files: 1 finding" in ran.out
    assert "could not be looked at" in ran.out


# prune


def test_a_dry_run_changes_nothing_and_says_what_would_go(xp: Xp, ledger: Ledger, desk: Desk, ana: Identity) -> None:
    file = desk.put(b"one", *ANA)
    desk.put(b"two", *ANA, "--to", file["id"])
    unused = desk.put(b"three", *ANA, name="unused.txt")
    ledger.post(ana, ledger.thread(ana), "look", file_ids=(file["id"],))
    age(ledger, 31)
    before = ledger.dump()
    rules = {"FILE_VERSIONS": "1", "FILE_UNUSED_DAYS": "30"}
    found = xp("files", "prune", "--dry-run", "--json", **rules).json
    assert (found["files"], found["versions"], found["bytes"]) == (1, 1, 8)
    assert {(item["rule"], item["file_id"]) for item in found["found"]} == {
        ("version", file["id"]), ("unused", unused["id"]),
    }  # fmt: skip
    text = xp("files", "prune", "--dry-run", **rules).out
    assert "unused.txt" in text
    assert "Would delete 1 file and 1 old version (8 B), and end 0 uploads." in text
    assert ledger.dump() == before
    assert "Would delete 0 files" in xp("files", "prune", "--dry-run").out, "no rule is set"


def test_the_bytes_follow_after_their_grace(xp: Xp, ledger: Ledger, desk: Desk, ana: Identity) -> None:
    file = desk.put(b"one", *ANA)
    desk.put(b"two", *ANA, "--to", file["id"])
    done = xp("files", "prune", "--json", FILE_VERSIONS="1").json
    assert (done["versions"], done["bytes"], done["blobs"]) == (1, 3, 0)
    assert desk.blob(file).exists(), "a backup taken before may name it"
    age(ledger, 2)
    assert xp("files", "prune", "--json").json["blobs"] == 1
    assert not desk.blob(file).exists()
    assert xp("files", "get", file["id"], "-").out == "two"
    assert xp("files", "check", "--json").json["surplus"] == []
    assert audited(ledger)[-2] == by_terminal("prune_files", "all")
    assert xp("db", "check").code == 0


def test_beside_a_server_the_server_deletes_the_bytes(xp: Xp, ledger: Ledger, desk: Desk, ana: Identity) -> None:
    file = desk.put(b"one", *ANA)
    ledger.do(DeleteFile(identity=ana, file_id=file["id"]))
    age(ledger, 2)
    with data_folder_lock(xp.folder):
        ran = xp("files", "prune")
        assert "The running server deletes from the store what nothing has named for a day." in ran.out
        assert xp("files", "prune", "--json").json["blobs"] is None
    assert desk.blob(file).exists()
    assert xp("files", "prune", "--json").json["blobs"] == 1


def test_surplus_blobs_go_when_they_are_asked_for(xp: Xp, ledger: Ledger, desk: Desk, tmp_path: Path) -> None:
    digest = surplus(xp, tmp_path)
    blob = xp.folder / "blobs" / layout.blob_path(digest)
    xp("files", "prune")
    age(ledger, 2)
    xp("files", "prune")
    assert blob.exists()
    assert xp("files", "prune", "--dry-run", "--surplus", "--json").json["surplus"] == 1
    assert "1 surplus blob will go a day later." in xp("files", "prune", "--surplus").out
    assert blob.exists()
    age(ledger, 2)
    assert xp("files", "prune", "--json").json["blobs"] == 1
    assert not blob.exists()


def test_a_wrong_rule_is_one_sentence(xp: Xp, ledger: Ledger) -> None:
    said = xp("files", "prune", FILE_VERSIONS="none").sentence
    assert said == "FILE_VERSIONS: expected a number above 0; 'none' came from the environment."


# rescan


def scans(ledger: Ledger) -> list[Any]:
    return [row[0] for row in ledger.sql("SELECT scan FROM file_version ORDER BY file_id, number")]


def test_all_that_passed_waits_for_the_scanner_again(xp: Xp, ledger: Ledger, desk: Desk, ana: Identity) -> None:
    scanner = {"SCAN_URL": "exec:/bin/true"}
    files = [desk.put(content, *ANA, **scanner) for content in (b"a", b"b", b"c")]
    for file, verdict in zip(files, ("clean", "found", "clean"), strict=True):
        ledger.do(RecordScan(file["id"], 1, verdict))
    assert xp("files", "rescan", "--json", **scanner).json == {"versions": 2}
    assert scans(ledger) == ["due", "found", "due"]
    assert xp("files", "get", files[0]["id"], "-").out == "a", "what passed can be had meanwhile"
    assert (
        "1 version waits for the scanner, once the server runs."
        in xp("files", "rescan", "--quarantined", **scanner).out
    )
    assert scans(ledger) == ["due", "due", "due"]
    assert "in quarantine" in xp("files", "get", files[1]["id"], "-").sentence
    before = ledger.one("SELECT count(*) FROM event")
    ledger.do(RecordScan(files[0]["id"], 1, "clean"))
    ledger.do(RecordScan(files[1]["id"], 1, "clean"))
    assert [file["status"] for file in xp("files", "list", "--json").json] == ["ready"] * 3
    assert ledger.one("SELECT count(*) FROM event") == before, "files outside of threads are in no log"


def test_one_file(xp: Xp, ledger: Ledger, desk: Desk, ana: Identity) -> None:
    file, other = desk.put(b"a", *ANA), desk.put(b"b", *ANA)
    scanner = {"SCAN_URL": "exec:/bin/true"}
    assert xp("files", "rescan", file["id"], "--json", **scanner).json == {"versions": 1}
    assert scans(ledger) == ["due", "skipped"]
    assert "There is no file" in xp("files", "rescan", other["id"], "nothing", **scanner).sentence
    assert scans(ledger) == ["due", "skipped"], "all of them or none"


def test_in_steps_none_is_left_out(
    xp: Xp, ledger: Ledger, desk: Desk, ana: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    from actors.resources.files import processing

    for number in range(5):
        desk.put(b"%d" % number, *ANA)
    one_by_one = processing.RescanFiles
    monkeypatch.setattr(processing, "RescanFiles", lambda *names, **more: one_by_one(*names, **more, rows=2))
    assert xp("files", "rescan", "--json", SCAN_URL="exec:/bin/true").json == {"versions": 5}


def test_without_a_scanner_there_is_nothing_to_ask(xp: Xp, ledger: Ledger, desk: Desk, ana: Identity) -> None:
    desk.put(b"a", *ANA)
    assert xp("files", "rescan").sentence.startswith("SCAN_URL: expected a scanner")
    assert scans(ledger) == ["skipped"]


# rotate-key


def test_a_new_key_revokes_what_was_signed(xp: Xp, ledger: Ledger) -> None:
    server = UrlKeyFiles(xp.folder)
    first = server.keys.keys[0]
    assert xp("files", "rotate-key", "--json").json == {"revoked": True}
    assert first not in server.keys.keys, "a server that runs notices"
    second = server.keys.keys[0]
    assert "stay valid until they expire" in xp("files", "rotate-key", "--keep-previous").out
    assert server.keys.keys[1] == second
    assert len(server.keys.keys) == 2
    assert "no URL signed before is valid" in xp("files", "rotate-key").out
    assert len(server.keys.keys) == 1
    assert [entry[2] for entry in audited(ledger)] == ["rotate_file_key"] * 3
