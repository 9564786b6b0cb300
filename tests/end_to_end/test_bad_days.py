"""Bad days of a real process: each is told in one clear sentence, and what was acknowledged stays."""

import asyncio
import resource
import socket
import sqlite3
from pathlib import Path

import aiohttp

from storage.database import FILE_NAME
from tests.serving import Client, ServerProcess


async def _refusal(server: ServerProcess) -> str:
    """What a server says that does not start."""
    await server.start(wait=False)
    assert await server.ended() == 1
    said = server.log.read_text().strip().splitlines()
    assert not any("Traceback" in line for line in said), said
    return said[-1]


async def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = await _refusal(ServerProcess(tmp_path / "data", PORT=str(port)))
    assert (
        said
        == f"Error: Cannot listen on 127.0.0.1:{port}: Address already in use. Choose another with --host and --port."
    )


async def test_a_file_in_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a folder")
    assert (await _refusal(ServerProcess(tmp_path / "data"))).startswith(f"Error: {tmp_path / 'data'}")


async def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """/proc takes no files from anybody, root included."""
    server = ServerProcess(Path("/proc/experience"))
    server.log = tmp_path / "log"
    assert (await _refusal(server)).startswith("Error: /proc/experience")


async def test_a_database_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / FILE_NAME).write_bytes(b"this is not a database, it only looks like a file " * 100)
    assert "not an SQLite database" in await _refusal(ServerProcess(tmp_path / "data"))


async def test_a_database_of_a_newer_version(process: ServerProcess) -> None:
    assert await process.stop() == 0
    database = sqlite3.connect(process.data_dir / FILE_NAME)
    (table,) = database.execute("SELECT name FROM sqlite_master WHERE name LIKE '%migration%' LIMIT 1").fetchone()
    columns = [row[1] for row in database.execute(f'PRAGMA table_info("{table}")')]
    row = dict(zip(columns, database.execute(f'SELECT * FROM "{table}"').fetchone(), strict=True))
    row |= {column: 99 for column in columns if column == "id"} | {"name": "0099_from_the_future"}
    marks = ", ".join("?" for _ in row)
    database.execute(f'INSERT INTO "{table}" ({", ".join(row)}) VALUES ({marks})', list(row.values()))
    database.execute("PRAGMA user_version = 99000000")  # the oldest release that runs on it
    database.commit()
    database.close()
    said = await _refusal(process)
    assert "newer version" in said
    assert "0099_from_the_future" in said


async def test_a_second_server_on_the_same_folder(process: ServerProcess) -> None:
    second = ServerProcess(process.data_dir)
    second.log = process.log.with_suffix(".second")
    said = await _refusal(second)
    assert "another server" in said
    assert "stop it first" in said


async def test_a_lock_at_the_start(process: ServerProcess) -> None:
    """Waited for a while; then the start is refused in a sentence that says what to end."""
    assert await process.stop() == 0
    other = sqlite3.connect(process.data_dir / FILE_NAME, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert "another process holds a lock on it; end that process" in await _refusal(process)
    await process.start(wait=False)
    other.execute("ROLLBACK")
    other.close()
    await process.ready()


async def test_a_lock_of_another_process(process: ServerProcess, session: aiohttp.ClientSession) -> None:
    """Writes are refused, to be retried; reads go on; when the lock goes, so does the trouble."""
    alice = Client(session, process.url, "alice")
    thread = await alice.thread()
    messages = f"/api/v1/threads/{thread['id']}/messages"
    kept = await alice.say(thread, "kept")
    other = sqlite3.connect(process.data_dir / FILE_NAME, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    refused = await alice.post(messages, {"Idempotency-Key": "k"}, content="later")
    assert refused.status == 503
    assert refused.error["code"] == "storage_unavailable"
    assert refused.error["retryable"]
    assert refused.headers["Retry-After"] == "2"
    assert "another process holds a lock" in refused.error["detail"]
    ready = await alice.get("/health/ready")
    assert ready.status == 503
    assert "another process holds a lock" in ready.error["detail"]
    assert [message["id"] for message in (await alice.get(messages)).data] == [kept["id"]]
    other.execute("ROLLBACK")
    other.close()
    assert (await alice.post(messages, {"Idempotency-Key": "k"}, content="later")).status == 201
    assert (await alice.get("/health/ready")).status == 200
    assert "Traceback" not in process.log.read_text()


async def test_a_full_disk(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    """The kernel refuses to let the files grow; when it lets them, the server goes on by itself."""
    server = ServerProcess(tmp_path / "data")
    await server.start()
    alice = Client(session, server.url, "alice")
    thread = await alice.thread()
    messages = f"/api/v1/threads/{thread['id']}/messages"
    assert server.process is not None
    unlimited = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (1_500_000, unlimited[1]))
    acknowledged = []
    async with asyncio.timeout(60):
        while (answer := await alice.post(messages, content="x" * 50_000)).status == 201:
            acknowledged.append(answer.data["id"])
    assert answer.status == 503, answer.raw
    assert answer.error["code"] == "storage_unavailable"
    assert acknowledged
    assert (await alice.get(f"/api/v1/messages/{acknowledged[-1]}")).status == 200
    assert (await alice.get("/health/ready")).status == 503
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, unlimited)
    acknowledged.append((await alice.say(thread, "room again"))["id"])
    assert (await alice.get("/health/ready")).status == 200
    server.kill()
    await server.ended()
    await server.start()
    for message_id in acknowledged:
        assert (await alice.get(f"/api/v1/messages/{message_id}")).status == 200
    assert await server.stop() == 0
    assert "Traceback" not in server.log.read_text()
