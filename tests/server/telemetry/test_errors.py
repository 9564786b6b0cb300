"""Unhandled errors: grouped, kept over restarts, shown to administrators, sent to Sentry; never with content."""

import asyncio
import gzip
import logging
import stat
from pathlib import Path

import pytest
from aiohttp import web
from click.testing import CliRunner

from actors import limits
from cli.main import main
from server.telemetry import error_file
from server.telemetry.error_groups import ErrorGroups
from server.telemetry.sentry import Sentry
from tests.serving import Client, Server, serving

SECRET = "what a client wrote"


def fail(content: str) -> None:
    private = content * 2
    raise LookupError(f"nothing is known of {private}")


def note(groups: ErrorGroups, content: str = SECRET, correlation_id: str = "c-1") -> None:
    try:
        fail(content)
    except LookupError as error:
        groups.note(error, "server.tests", correlation_id)


async def test_administrators_see_them(server: Server, root: Client) -> None:
    for number in range(limits.ERROR_OCCURRENCES + 2):
        note(server.services.error_groups, f"{SECRET} {number}", f"c-{number}")
    answer = await root.get("/api/v1/admin/errors")
    (group,) = answer.data["groups"]
    assert (answer.data["total"], group["count"], group["kind"]) == (7, 7, "LookupError")
    assert group["frames"][-1].startswith("tests/server/telemetry/test_errors.py:")
    assert [each["correlation_id"] for each in group["last"]] == [f"c-{number}" for number in range(2, 7)]
    assert SECRET.encode() not in answer.raw


async def test_what_is_logged_with_its_traceback_is_counted(server: Server, root: Client) -> None:
    try:
        fail(SECRET)
    except LookupError:
        logging.getLogger("server.tests").exception("it failed")
    (group,) = (await root.get("/api/v1/admin/errors")).data["groups"]
    assert (group["logger"], group["count"]) == ("server.tests", 1)


async def test_they_outlive_a_restart_and_the_terminal_shows_them(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    async with serving(folder) as first:
        note(first.services.error_groups)
    file = folder / error_file.FILE_NAME
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert SECRET not in file.read_text()
    async with serving(folder) as second:
        note(second.services.error_groups, correlation_id="c-2")
        (group,) = second.services.error_groups.groups
        assert (group.count, [each.correlation_id for each in group.last]) == (2, ["c-1", "c-2"])
        assert second.services.error_groups.total == 1
    ran = CliRunner(env={"DATA_DIR": str(folder)}).invoke(main, ["errors"], prog_name="xp")
    assert "LookupError" in ran.output
    assert "c-2" in ran.output


def test_a_damaged_file_is_as_none(tmp_path: Path) -> None:
    for text in ("", "{", "[1]", '[{"kind": 1}]', "null"):
        (tmp_path / error_file.FILE_NAME).write_text(text)
        assert error_file.read(tmp_path) == []
    ran = CliRunner(env={"DATA_DIR": str(tmp_path)}).invoke(main, ["errors"], prog_name="xp")
    assert (ran.exit_code, ran.output) == (0, "No unhandled errors.\n")


def test_groups_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ERROR_GROUPS", 2)
    groups = ErrorGroups()
    for kind in (KeyError, ValueError, TypeError):
        try:
            raise kind(SECRET)
        except Exception as error:  # noqa: BLE001 - of several kinds
            groups.note(error, "tests", "")
    assert [group.kind for group in groups.groups] == ["TypeError", "ValueError"]


async def test_sentry_gets_places_and_no_content() -> None:
    got: asyncio.Queue[bytes] = asyncio.Queue()

    async def receive(request: web.Request) -> web.Response:
        body = await request.read()
        got.put_nowait(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)
        return web.json_response({})

    app = web.Application()
    app.router.add_post("/api/7/envelope/", receive)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    groups = ErrorGroups()
    sentry = Sentry(f"http://key@127.0.0.1:{port}/7", "1.2.3")
    groups.on_error = sentry.send
    note(groups)
    async with asyncio.timeout(30):
        envelope = (await got.get()).decode()
    await asyncio.to_thread(sentry.close)
    await runner.cleanup()
    assert "LookupError" in envelope
    assert groups.groups[0].fingerprint in envelope
    assert '"correlation_id":"c-1"' in envelope.replace(" ", "")
    assert "test_errors" in envelope
    for secret in (SECRET, "nothing is known", "private", "server_name", "vars", "context_line", str(Path.home())):
        assert secret not in envelope, secret


def test_a_dsn_is_checked_when_it_is_read(tmp_path: Path) -> None:
    ran = CliRunner(env={"DATA_DIR": str(tmp_path), "SENTRY_DSN": "nonsense"}).invoke(main, ["serve"], prog_name="xp")
    assert ran.exit_code == 1
    assert "SENTRY_DSN: expected a DSN such as https://KEY@sentry.example.com/1; a secret came from" in ran.output
