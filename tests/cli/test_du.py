"""`xp du`: what takes the space."""

import pytest

from storage.maintenance.space import KINDS
from storage.schema.migrating import MODELS
from tests.cli.conftest import Xp


def test_what_takes_the_space(xp: Xp) -> None:
    xp("db", "migrate")
    xp("sampledata")
    blobs = xp.folder / "blobs" / "ab"
    blobs.mkdir(parents=True)
    (blobs / "blob").write_bytes(b"x" * 5000)
    found = xp("du", "--json").json
    assert found["space"]["blobs/"] == 5000
    kinds = {name: size for name, size in found["space"].items() if name.startswith("database: ")}
    assert kinds["database: messages"] > 0
    size = xp("db", "info", "--json").json["size"]
    assert 0.5 * size < sum(kinds.values()) <= size, "all pages but those of SQLite itself"
    threads = found["threads"]
    assert len(threads) == 3
    assert threads == sorted(threads, key=lambda each: -(each["message_bytes"] + each["file_bytes"]))
    shown = xp("du").out
    assert threads[0]["id"] in shown
    assert "4.9 KiB" in shown


def test_where_sqlite_cannot_tell_sizes_the_database_is_one(xp: Xp, monkeypatch: pytest.MonkeyPatch) -> None:
    xp("db", "migrate")
    monkeypatch.setattr("storage.maintenance.space.table_sizes", lambda _: None)
    found = xp("du", "--json").json["space"]
    assert found["database"] == xp("db", "info", "--json").json["size"]


def test_it_needs_a_database(xp: Xp) -> None:
    assert "there is no database" in xp("du").sentence


def test_every_kind_has_a_table() -> None:
    names = {str(model._meta.table_name) for model in MODELS}
    assert all(any(name.startswith(begins) for name in names) for kind, begins in KINDS.items() if kind != "search")
