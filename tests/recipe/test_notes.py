"""A new resource with create, list, get, update, delete, events, search, checks and a command: few files."""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.realtime_client import raw_client
from tests.serving import Client, ServerProcess

ROOT = Path(__file__).parents[2]
FILES = Path(__file__).parent / "notes"
ENTRY = '    "notes": ("cli.notes:command", "List the notes of a thread"),\n'
"""The one line in a file that is there already: `cli/main.py`."""
AT_MOST = 12
TYPES = ["note.created", "note.created", "note.updated", "note.deleted"]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The source with the files of the resource in their places."""
    tree = tmp_path / "source"
    for name in ("actors", "storage", "server", "cli"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(FILES, tree, dirs_exist_ok=True)
    main = tree / "cli/main.py"
    main.write_text(main.read_text().replace("COMMANDS = {\n", f"COMMANDS = {{\n{ENTRY}"))
    return tree


@pytest.fixture
async def server(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ServerProcess]:
    monkeypatch.chdir(tree)
    monkeypatch.setenv("PYTHONPATH", str(tree))
    server = ServerProcess(tmp_path / "data")
    await server.start(forked=False)
    yield server
    await server.stop()


async def xp(server: ServerProcess, *arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli.main", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **server.settings},
    )  # fmt: skip
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    return said.decode()


def test_it_takes_few_files() -> None:
    written = [path for path in FILES.rglob("*") if path.suffix in {".py", ".md"}]
    assert len(written) + len(["cli/main.py", "CHANGELOG.md"]) <= AT_MOST


async def test_it_is_reached_by_every_way(server: ServerProcess) -> None:
    async with aiohttp.ClientSession() as session:
        alice = Client(session, server.url, "alice")
        thread = await alice.thread()
        path = f"/api/v1/threads/{thread['id']}/notes"
        async with raw_client(session, server.websocket_url, alice.token) as socket:
            socket.ignores_own = True
            begun = await socket.subscribe(thread["id"])
            note = (await alice.post(path, text="Milk and honey")).data
            gone = (await alice.post(path, text="Butter")).data
            assert (await alice.patch(f"{path}/{note['id']}", text="Oats and honey")).data["version"] == 2
            await alice.delete(f"{path}/{gone['id']}")
            live = [pub["data"] for pub in await socket.publications(4)]
            asked = await socket.ask("rpc", method="list_notes", data={"thread_id": thread["id"]})
        assert [event["type"] for event in live] == TYPES
        assert live[0]["data"] == note
        assert asked["rpc"]["data"] == [live[2]["data"]] == (await alice.get(path)).data

        async with raw_client(session, server.websocket_url, alice.token) as socket:
            replayed = await socket.subscribe(thread["id"], recover=True, offset=begun["offset"], epoch=begun["epoch"])
        events = [publication["data"] for publication in replayed["publications"]]
        assert [event["type"] for event in events] == TYPES
        assert [event["data"].get("text") for event in events] == ["Oats and honey", None, "Oats and honey", None]

        (hit,) = (await alice.get("/api/v1/search", q="oats")).data
        assert (hit["kind"], hit["id"], hit["thread"]["id"]) == ("note", note["id"], thread["id"])
        (same,) = (await alice.get("/api/v1/search", kind="notes", q="honey")).data
        assert same["id"] == note["id"]
        assert (await alice.get("/api/v1/search", q="milk butter")).data == []

        assert path.replace(thread["id"], "{thread_id}") in (await alice.get("/openapi.json")).json["paths"]
        assert "note.created" in (await alice.get("/asyncapi.json")).json["components"]["messages"]
        assert "Oats and honey" in await xp(server, "notes", thread["id"])
        assert "checks passed" in await xp(server, "db", "check")
