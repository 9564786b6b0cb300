"""The commands that docs/files.md and docs/storage.md print work as they are printed, in the order of the pages. What
differs is the port of the server, and where the bucket is."""

import asyncio
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests import forking
from tests.serving import ServerProcess
from tests.storage.blobs.s3_servers import KEYS, start_moto
from tests.tokens import token

ROOT = Path(__file__).parent.parent
REPORT = b"%PDF-1.7\n" + b"a report " * 2_000 + b"\n%%EOF\n"
VIDEO = b"\x00\x00\x00\x18ftypmp42" + bytes(8_000_000 - 12)


class Terminal:
    """A folder with a report and a video in it, and variables as a reader of the page has set them."""

    def __init__(self, folder: Path, server: ServerProcess) -> None:
        self.folder, self.server = folder, server
        (folder / "bin").mkdir()
        self.inherited = _write_xp(folder / "bin" / "xp")
        self.variables = {
            **os.environ, **{name: value for name, value in server.settings.items() if name != "DATA_DIR"},
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "TOKEN": token("alice"),
        }  # fmt: skip
        self.download = folder / "downloads"
        self.download.mkdir()
        for place, name, content in ((folder, "report.pdf", REPORT), (folder, "video.mp4", VIDEO)):
            (place / name).write_bytes(content)

    async def run(self, script: str, *, in_folder: Path | None = None) -> str:
        """Everything in it succeeds; answers what it prints."""
        before = self.head() if "$url" in script else ""
        command = ["bash", "-euo", "pipefail", "-c", before + script]
        done = await asyncio.to_thread(
            subprocess.run, command, cwd=in_folder or self.folder, env=self.variables, capture_output=True, text=True,
            timeout=110, check=False, pass_fds=self.inherited,
        )  # fmt: skip
        assert done.returncode == 0, (script, done)
        assert '"success":false' not in done.stdout, done.stdout
        return str(done.stdout)

    def head(self) -> str:
        return block("files.md", "url=").replace("http://127.0.0.1:8787", self.server.url)


def _write_xp(path: Path) -> list[int]:
    """Answers the descriptors that it needs."""
    if forking.is_possible():
        return forking.write_program(path)
    path.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m cli.main "$@"\n')
    path.chmod(0o755)
    return []


def block(page: str, having: str) -> str:
    """The first block of commands of a page with these words."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "docs" / page).read_text(), re.DOTALL)
    return next(found for found in blocks if having in found)


def answers(printed: str) -> list[Any]:
    """What REST has answered, one after another."""
    decoder, found, at = json.JSONDecoder(), [], 0
    while at < len(printed):
        value, at = decoder.raw_decode(printed, at)
        found.append(value["data"])
    return found


@pytest.fixture
async def terminal(tmp_path: Path) -> AsyncIterator[Terminal]:
    server = ServerProcess(tmp_path / "data")
    await server.start()
    yield Terminal(tmp_path, server)
    assert await server.stop() == 0


async def test_the_page_of_files(terminal: Terminal) -> None:
    run, variables = terminal.run, terminal.variables
    thread = 'curl -H "$auth" -H "Content-Type: application/json" -d \'{"title":"T"}\' $url/threads'
    variables["THREAD"] = answers(await run(thread))[0]["id"]
    (uploaded,) = answers(await run(block("files.md", "-F file=@")))
    assert (uploaded["size"], uploaded["thread_id"]) == (len(REPORT), variables["THREAD"])

    record, content = block("files.md", "-T report.pdf").splitlines()
    variables["FILE"] = answers(await run(record + " # $url"))[0]["id"]
    assert answers(await run(content))[0]["sha256"] == hashlib.sha256(REPORT).hexdigest()

    await run(block("files.md", "-OJ"), in_folder=terminal.download)
    assert (terminal.download / "report.pdf").read_bytes() == REPORT

    begin, send, complete = block("files.md", "/direct").splitlines()
    (upload,) = answers(await run(begin))
    variables["UPLOAD_URL"] = terminal.server.url + upload["url"]
    variables["UPLOAD"] = upload["id"]
    await run(send)
    variables["SHA256"] = hashlib.sha256(VIDEO).hexdigest()
    assert answers(await run(complete))[0]["size"] == len(VIDEO)

    printed = await run(block("files.md", "xp files put"))
    assert "report.pdf is version 1 of" in printed
    assert (terminal.folder / "copy.pdf").read_bytes() == VIDEO, "the newest version"
    await run(block("files.md", "xp files rotate-key"))


async def test_the_page_of_the_store(terminal: Terminal) -> None:
    run, variables = terminal.run, terminal.variables
    await run("xp files put report.pdf")
    assert "Would delete 0 files" in await run(block("storage.md", "--dry-run"))
    assert "0 missing, 0 damaged, 0 surplus" in await run(block("storage.md", "--quick"))
    moto = start_moto()
    try:
        moto.make_bucket("my-files")
        variables |= {"AWS_ACCESS_KEY_ID": KEYS.access_key_id, "AWS_SECRET_ACCESS_KEY": KEYS.secret_access_key}
        here = f"s3://my-files/chat?region=eu-central-1&endpoint={moto.url}"
        moving = block("storage.md", "xp files move").replace("s3://my-files/chat?region=eu-central-1", here)
        assert "Read 1 blob" in await run(moving)
    finally:
        moto.stop()
    assert await terminal.server.stop() == 0
    printed = await run(block("storage.md", "xp db backup"))
    assert "Copied 1 blob of files" in printed
    assert "Restored backup.db" in printed
    assert (terminal.folder / "backup.db.files").is_dir()
