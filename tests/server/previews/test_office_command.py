"""`OFFICE_COMMAND` on a running server: a converter that works, and one that does what it should not."""

import functools
import io
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest
from PIL import Image

from actors import limits
from cli.opening import files as file_store
from server.previews.limits import WorkerLimits
from server.previews.previewer import Previewer
from tests.files import until_previewed
from tests.server.files.hostile import zipped
from tests.server.quiet import nothing_breaks
from tests.serving import Client, Server, serving

__all__ = ["nothing_breaks"]

CONVERTER = """
import os, pathlib, re, shutil, subprocess, sys, time, zipfile

document, folder, marks = map(pathlib.Path, sys.argv[1:])
asked = re.search("do-([a-z]+)", zipfile.ZipFile(document).read("word/document.xml").decode())[1]
made = folder / "made.pdf"
if asked == "convert":
    pathlib.Path("profile").write_text("in the current folder")
    pathlib.Path.home().joinpath("profile-" + asked).write_text("at home")
    marks.joinpath("home").write_text(str(pathlib.Path.home()))
    shutil.copy(marks / "two-pages.pdf", made)
elif asked == "hang":
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", str(marks)])
    time.sleep(600)
elif asked == "flood":
    while True:
        os.write(1, bytes(65536))
elif asked == "fill":
    with made.open("wb") as file:
        while True:
            file.write(bytes(1 << 20))
elif asked == "eat":
    held = [bytes(1 << 28) for _ in range(64)]
elif asked == "die":
    os.abort()
elif asked == "elsewhere":
    marks.joinpath("elsewhere.pdf").write_bytes(marks.joinpath("two-pages.pdf").read_bytes())
elif asked == "link":
    made.symlink_to(marks / "two-pages.pdf")
elif asked == "pipe":
    os.mkfifo(made)
elif asked == "damage":
    made.write_bytes(b"%PDF-1.7 and nothing more")
"""
HOSTILE = ("hang", "flood", "fill", "eat", "die", "elsewhere", "link", "pipe", "damage")


def document(asked: str) -> bytes:
    words = f'<w:document xmlns:w="urn:w"><w:body><w:p><w:r><w:t>do-{asked}</w:t></w:r></w:p></w:body></w:document>'
    return zipped({"[Content_Types].xml": b"<Types/>", "word/document.xml": words.encode()})


@pytest.fixture
async def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Server]:
    """Whose converter has two thirds of the time that it has elsewhere."""
    hasty = functools.partial(Previewer, limits=WorkerLimits(seconds=20.0))
    monkeypatch.setattr(file_store, "Previewer", hasty)
    marks, script = tmp_path / "marks", tmp_path / "convert.py"
    marks.mkdir()
    page = Image.new("RGB", (300, 400), "white")
    page.save(marks / "two-pages.pdf", save_all=True, append_images=[page])
    script.write_text(CONVERTER)
    command = f"{sys.executable} {script} {{input}} {{output_dir}} {marks}"
    async with serving(tmp_path / "data", PREVIEWS="on", PREVIEW_WORKERS="3", OFFICE_COMMAND=command) as running:
        yield running


async def sent(client: Client, asked: str, content: bytes) -> Any:
    form = aiohttp.FormData()
    form.add_field("file", io.BytesIO(content), filename=f"{asked}.docx")
    answer = await client.request("POST", "/api/v1/files", data=form)
    assert answer.status == 201, answer
    return answer.data


def left_running(folder: Path) -> list[list[str]]:
    """Commands of processes that a converter has started."""
    commands = (each.info["cmdline"] or [] for each in psutil.process_iter(["cmdline"]))
    return [command for command in commands if str(folder) in " ".join(command) and "-c" in command]


async def test_documents_have_pages_and_a_converter_does_no_harm(server: Server, tmp_path: Path) -> None:
    alice = server.client("alice")
    memory = psutil.Process().memory_info().rss
    documents = {asked: document(asked) for asked in HOSTILE}
    hostile = {asked: await sent(alice, asked, content) for asked, content in documents.items()}
    good = await sent(alice, "convert", document("convert"))
    await until_previewed(server)

    shown = (await alice.get(f"/api/v1/files/{good['id']}")).data
    assert {"small", "medium", "page-1", "page-2"} <= {preview["name"] for preview in shown["previews"]}
    assert shown["details"]["pages"] == 2
    page = await alice.get(f"/api/v1/files/{good['id']}/preview", name="page-2")
    assert page.headers["Content-Type"] == "image/webp"
    for asked, file in hostile.items():
        found = (await alice.get(f"/api/v1/files/{file['id']}")).data
        assert (found["status"], found["previews"]) == ("ready", []), asked
        assert (await alice.get(found["url"])).raw == documents[asked]

    home = Path((tmp_path / "marks" / "home").read_text())
    assert not home.exists()  # noqa: ASYNC240 - a look
    assert list((tmp_path / "data" / "work").iterdir()) == []
    assert left_running(tmp_path) == []
    assert psutil.Process().memory_info().rss - memory < 64 * limits.MIB
