"""After an upload: what the scanner finds keeps a file from everybody, and previews come by themselves."""

import asyncio
import io
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from actors import limits
from actors.resources.files.processing import ListDuePreviews
from tests.files import stored_file
from tests.serving import Client, Server, serving

SCANNER = """#!/bin/sh
if grep -q "something evil" "$1"; then echo Test.Evil; exit 1; fi
if grep -q "unreadable" "$1"; then exit 3; fi
test -e "{busy}" && exit 2
exit 0
"""


def picture(width: int = 800, height: int = 600) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (width, height), "#336699").save(made, "PNG")
    return made.getvalue()


async def until(client: Client, file_id: str, holds: Callable[[Any], bool], seconds: float = 30.0) -> Any:
    """The file, once it is so."""
    async with asyncio.timeout(seconds):
        while not holds(found := (await client.get(f"/api/v1/files/{file_id}")).data):  # noqa: ASYNC110 - by HTTP
            await asyncio.sleep(0.05)
    return found


async def me(client: Client) -> str:
    return str((await client.me())["id"])


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with serving(tmp_path / "data", PREVIEWS="on") as running:
        yield running


@pytest.fixture
def alice(server: Server) -> Client:
    return server.client("alice")


async def test_a_picture_is_shown_in_three_sizes(server: Server, alice: Client) -> None:
    thread = await alice.thread()
    file = await stored_file(server, await me(alice), thread["id"], picture(), "plan.png")
    shown = await until(alice, file.id, lambda found: found["previews"])
    assert {preview["name"] for preview in shown["previews"]} >= {"small", "medium"}
    assert (shown["details"]["width"], shown["details"]["height"]) == (800, 600)
    assert shown["placeholder"]
    answer = await alice.get(shown["previews"][0]["url"])
    assert (answer.status, answer.headers["Content-Type"]) == (200, "image/webp")
    log = (await alice.get(f"/api/v1/threads/{thread['id']}/log", limit="100")).data
    assert [event["type"] for event in log][-3:] == ["file.created", "file.updated", "file.preview_ready"]


async def test_words_within_a_text_are_found(server: Server, alice: Client) -> None:
    file = await stored_file(server, await me(alice), content=b"The quarterly figures are good.", name="a.txt")
    await until(alice, file.id, lambda found: found["previews"])
    found = (await alice.get("/api/v1/files", q="quarterly figure")).data
    assert [one["id"] for one in found] == [file.id]


async def test_what_cannot_be_shown_has_no_preview_and_waits_for_none(server: Server, alice: Client) -> None:
    file = await stored_file(server, await me(alice), content=b"\x00\x01\x02" * 50, name="a.bin")
    async with asyncio.timeout(30):
        while await server.services.reads.ask(ListDuePreviews(10)):  # noqa: ASYNC110 - in the database
            await asyncio.sleep(0.05)
    shown = (await alice.get(f"/api/v1/files/{file.id}")).data
    assert (shown["previews"], shown["revision"]) == ([], file.revision), "nothing is told of it"


@pytest.fixture
def scanner(tmp_path: Path) -> Path:
    script = tmp_path / "scan"
    script.write_text(SCANNER.format(busy=tmp_path / "busy"))
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return script


async def test_what_the_scanner_finds_is_given_to_nobody(tmp_path: Path, scanner: Path) -> None:
    async with serving(tmp_path / "data", SCAN_URL=f"exec:{scanner}") as server:
        alice, root = server.client("alice"), server.client("root", role="ADMIN")
        evil = await stored_file(server, await me(alice), content=b"this is something evil", name="a.txt")
        good = await stored_file(server, await me(alice), content=b"this is good", name="b.txt")
        assert evil.status == good.status == "scanning"
        found = await until(alice, evil.id, lambda shown: shown["status"] != "scanning")
        assert (found["status"], found["reason"]) == ("quarantined", "Test.Evil")
        await until(alice, good.id, lambda shown: shown["status"] == "ready")
        for client in (alice, root):
            for path in ("content", "versions/1/content"):
                refused = await client.get(f"/api/v1/files/{evil.id}/{path}")
                assert (refused.status, refused.error["code"]) == (403, "file_quarantined")
        audit = (await root.get("/api/v1/admin/audit", limit="100")).data
        assert {("quarantine_file", "done"), ("read_file", "refused")} <= {(e["action"], e["outcome"]) for e in audit}


async def test_while_the_scanner_does_not_answer_files_wait(tmp_path: Path, scanner: Path) -> None:
    (tmp_path / "busy").touch()
    async with serving(tmp_path / "data", SCAN_URL=f"exec:{scanner}") as server:
        alice = server.client("alice")
        file = await stored_file(server, await me(alice), content=b"this is good", name="b.txt")
        refused = await alice.get(f"/api/v1/files/{file.id}/content")
        assert (refused.status, refused.error["code"], refused.error["retryable"]) == (423, "file_not_ready", True)
    (tmp_path / "busy").unlink()
    async with serving(tmp_path / "data", SCAN_URL=f"exec:{scanner}") as server:
        await until(server.client("alice"), file.id, lambda shown: shown["status"] == "ready")


async def test_where_a_scan_is_not_required_files_pass(tmp_path: Path, scanner: Path) -> None:
    (tmp_path / "busy").touch()
    async with serving(tmp_path / "data", SCAN_URL=f"exec:{scanner}", SCAN_REQUIRED="off") as server:
        alice = server.client("alice")
        file = await stored_file(server, await me(alice), content=b"this is good", name="b.txt")
        await until(alice, file.id, lambda shown: shown["status"] == "ready")


async def test_files_that_the_scanner_does_not_take_hold_up_no_other(
    tmp_path: Path, scanner: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as files beyond its own limits, which wait for an operator."""
    monkeypatch.setattr(limits, "FILES_DUE", 2)
    async with serving(tmp_path / "data", SCAN_URL=f"exec:{scanner}") as server:
        alice = server.client("alice")
        for number in range(4):
            await stored_file(server, await me(alice), content=b"unreadable %d" % number, name="a.txt")
        file = await stored_file(server, await me(alice), content=b"this is good", name="b.txt")
        await until(alice, file.id, lambda shown: shown["status"] == "ready", seconds=10)
