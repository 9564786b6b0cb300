"""`xp doctor`."""

import http.server
import os
import resource
import shutil
import socket
import sqlite3
import threading
import time
from collections import namedtuple
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from cli.doctor import machine
from cli.opening.keys import SECRET_FILE
from tests.builders import MIGRATIONS, Ledger
from tests.cli.conftest import Xp
from tests.serving import ServerProcess, free_port

ALL = {
    "Python", "SQLite", "open files", "data folder", "free disk space", "secret", "settings", "database", "schema",
    "file store", "audit log", "clock", "port", "private files", "unchanged schema",
}  # fmt: skip


def looks(xp: Xp, *arguments: object, **environment: str | None) -> dict[str, Any]:
    environment.setdefault("PORT", "0")
    return {look["name"]: look for look in xp("doctor", "--json", *arguments, **environment).json}


@pytest.fixture
def port() -> int:
    return free_port()


def test_a_fresh_machine_is_fit_and_stays_as_it_was(xp: Xp, port: int) -> None:
    ran = xp("doctor", PORT=str(port), JWT_SECRET=None)
    assert ran.code == 0
    assert "✗" not in ran.out
    assert "created at the first start" in ran.out
    assert f"127.0.0.1:{port} is free" in ran.out
    assert not xp.folder.exists()


def test_with_a_database(xp: Xp, ledger: Ledger) -> None:
    ana = ledger.user("ana")
    ledger.post(ana, ledger.thread(ana))
    found = looks(xp)
    assert found.keys() - {"private folder", "ALLOWED_DOMAINS"} == ALL
    assert all(look["good"] for look in found.values())
    assert "1 user of example.com may not sign in" in found["ALLOWED_DOMAINS"]["found"]
    for fine in ("Example.com", "*"):
        assert "ALLOWED_DOMAINS" not in looks(xp, ALLOWED_DOMAINS=fine)


def test_files_that_others_may_read(xp: Xp, ledger: Ledger) -> None:
    ledger.path.chmod(0o644)
    look = looks(xp)["private files"]
    assert not look["good"]
    assert "experience.db" in look["found"]
    ledger.path.parent.chmod(0o755)
    assert looks(xp)["private folder"]["good"], "a hint: it may be shared on purpose"


def test_a_schema_that_was_changed_past_the_server(xp: Xp, ledger: Ledger) -> None:
    ledger.sql("CREATE TRIGGER quiet AFTER INSERT ON audit BEGIN DELETE FROM audit; END")
    assert not looks(xp)["unchanged schema"]["good"]
    assert "The trigger 'quiet' is not one that the migrations make." in xp("db", "check").out
    ran = xp("audit", "verify")
    assert ran.code == 1
    assert "The trigger 'quiet'" in ran.err


def test_what_is_wrong_comes_with_what_to_do(xp: Xp) -> None:
    xp.folder.mkdir()
    path = xp.folder / SECRET_FILE
    path.write_text("s" * 40)
    path.chmod(0o644)
    ran = xp("doctor", PORT="0", JWT_SECRET=None)
    assert ran.code == 1
    (wrong,) = [line for line in ran.out.splitlines() if "✗" in line]
    assert "mode 0644" in wrong
    assert f"chmod 600 {path}" in wrong
    path.chmod(0o600)
    assert xp("doctor", PORT="0", JWT_SECRET=None).code == 0
    path.write_text("short")
    assert not looks(xp, JWT_SECRET=None)["secret"]["good"]


def test_secrets(xp: Xp) -> None:
    assert looks(xp)["secret"]["good"]
    assert not looks(xp, JWT_SECRET="short")["secret"]["good"]
    short = looks(xp, JWT_SECRET="your-jwt-secret-key")
    assert short["secret"]["good"]
    assert "19 bytes" in short["JWT_SECRET"]["found"]
    assert looks(xp, JWT_SECRET=None, JWT_JWKS_URL="https://i/keys")["secret"]["good"]


def test_a_database_that_waits_for_a_migration(xp: Xp) -> None:
    xp.folder.mkdir()
    xp.database.touch()
    assert looks(xp)["schema"] == {
        "name": "schema", "good": False, "found": f"{len(MIGRATIONS)} migrations pending",
        "advice": "Run: xp db migrate", "hint": False,
    }  # fmt: skip


def test_a_database_that_is_none(xp: Xp) -> None:
    xp.folder.mkdir()
    xp.database.write_bytes(b"no database " * 1000)
    assert "not an SQLite database" in looks(xp)["database"]["advice"]


def test_a_database_of_a_newer_version(xp: Xp) -> None:
    xp("db", "migrate")
    with closing(sqlite3.connect(xp.database)) as database, database:
        database.execute("INSERT INTO schema_migration (name, applied) VALUES ('9999_later', '2030-01-01 00:00:00')")
        database.execute("PRAGMA user_version = 9000000")
    assert "newer version" in looks(xp)["database"]["advice"]


def test_a_damaged_database(xp: Xp) -> None:
    ledger = Ledger(xp.database)
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    for n in range(300):
        ledger.post(ana, thread, f"{n}" * 50)
    ledger.close()
    size = xp.database.stat().st_size
    with xp.database.open("r+b") as file:
        file.seek(size // 2)
        file.write(b"\xff" * 8192)
    assert not looks(xp)["database"]["good"]


def test_an_audit_log_that_was_tampered_with(xp: Xp, ledger: Ledger) -> None:
    xp("user", "create", "ana@x.org")
    assert looks(xp)["audit log"]["found"].startswith("1 entry, head ")
    ledger.sql("UPDATE audit SET action = 'nothing'")
    look = looks(xp)["audit log"]
    assert not look["good"]
    assert look["found"] == f"1 entry, broken at {ledger.one('SELECT uid FROM audit')}"
    assert "xp audit verify" in look["advice"]


def test_a_clock_behind_the_log(xp: Xp, ledger: Ledger) -> None:
    ledger.thread(ledger.user("ana"))
    ledger.sql("UPDATE event SET time = time + 3600000")
    assert "but the newest event is from" in looks(xp)["clock"]["found"]


def test_a_clock_before_this_was_written(xp: Xp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1_000_000.0)
    assert not looks(xp)["clock"]["good"]


def test_a_disk_that_is_nearly_full(xp: Xp, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(100, 99, 1024**3 - 1))
    assert not looks(xp)["free disk space"]["good"]


def test_a_folder_that_cannot_be_written(xp: Xp, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    assert not looks(xp, "--data-dir", file)["data folder"]["good"]
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert not looks(xp)["data folder"]["good"]


def test_the_folder_of_files(xp: Xp, tmp_path: Path) -> None:
    assert "created with the first file" in looks(xp)["file store"]["found"]
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    look = looks(xp, BLOB_URL=str(folder))["file store"]
    assert look["good"]
    assert str(folder) in look["found"]
    file = tmp_path / "file"
    file.touch()
    look = looks(xp, BLOB_URL=str(file))["file store"]
    assert not look["good"]
    assert "BLOB_URL" in look["advice"]


def test_a_file_store_that_is_not_there(xp: Xp, port: int) -> None:
    url = f"s3://bucket?endpoint=http://127.0.0.1:{port}"
    look = looks(xp, BLOB_URL=url, AWS_ACCESS_KEY_ID="KEY")["file store"]
    assert "only one is set" in look["advice"]
    look = looks(xp, BLOB_URL=url, AWS_ACCESS_KEY_ID="KEY", AWS_SECRET_ACCESS_KEY="SECRET")["file store"]
    assert not look["good"]
    assert "cannot be reached" in look["advice"]


def test_the_scanner(xp: Xp, port: int) -> None:
    assert "scanner" not in looks(xp)
    look = looks(xp, SCAN_URL=f"clamd://127.0.0.1:{port}")["scanner"]
    assert not look["good"]
    assert "Start it" in look["advice"]
    assert looks(xp, SCAN_URL="exec:/bin/true")["scanner"]["good"]


@pytest.mark.parametrize(("soft", "good"), [(256, False), (1024, True), (resource.RLIM_INFINITY, True)])
def test_open_files(soft: int, good: bool, xp: Xp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, 4096))
    assert looks(xp)["open files"]["good"] is good


def test_old_versions(xp: Xp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 31, 1))
    assert not looks(xp)["SQLite"]["good"]


# The port


def test_any_free_port(xp: Xp) -> None:
    assert looks(xp, "--port", "0")["port"]["found"] == "any free one"


async def test_our_own_server_answers(xp: Xp, tmp_path: Path) -> None:
    import asyncio

    server = ServerProcess(tmp_path / "data")
    await server.start()
    try:
        found = await asyncio.to_thread(looks, xp, PORT=str(server.port))
        assert found["port"] == {
            "name": "port", "good": True, "found": f"this server answers on 127.0.0.1:{server.port}: ok",
            "advice": found["port"]["advice"], "hint": False,
        }  # fmt: skip
        assert all(look["good"] for look in found.values())
        beside = await asyncio.to_thread(looks, xp, "--data-dir", server.data_dir)
        assert server.process is not None
        assert beside["data folder"]["found"] == f"{server.data_dir}, used by process {server.process.pid}"
    finally:
        assert await server.stop() == 0


class _Handler(http.server.BaseHTTPRequestHandler):
    answer = b"{}"

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.answer)

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def somebody_else() -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("answer", [b"{}", b"not JSON", b"[]", b'{"data": 1}', b'{"data": {"status": "ok"}}'])
def test_somebody_else_answers(answer: bytes, xp: Xp, somebody_else: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Handler, "answer", answer)
    found = looks(xp, PORT=str(somebody_else))["port"]
    assert not found["good"]
    assert "Address already in use" in found["found"]


def test_a_draining_server_is_not_well(xp: Xp, somebody_else: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Handler, "answer", b'{"data": {"status": "unavailable", "live_threads": 0}}')
    found = looks(xp, PORT=str(somebody_else))["port"]
    assert (found["good"], found["found"][-11:]) == (False, "unavailable")


def test_something_that_does_not_speak_http(xp: Xp) -> None:
    def greet(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(100)
            connection.sendall(b"SSH-2.0-OpenSSH_9\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=greet, args=(listener,))
        thread.start()
        assert not looks(xp, PORT=str(listener.getsockname()[1]))["port"]["good"]
        thread.join()


def test_a_host_that_is_none(xp: Xp) -> None:
    assert not looks(xp, HOST="no.such.host.invalid", PORT="80")["port"]["good"]


@pytest.mark.parametrize("host", ["0.0.0.0", "::1"])
def test_other_addresses(host: str, port: int) -> None:
    assert machine.our_server(host, port) is None
