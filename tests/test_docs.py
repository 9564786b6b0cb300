"""The docs say what the code does."""

import asyncio
import os
import re
import subprocess
from pathlib import Path

import pytest

from actors.errors import CODES, XpError
from docs import generate
from server.http import catalogue
from tests.serving import ServerProcess

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("file", generate.PARTS)
def test_generated_parts_are_up_to_date(file: str) -> None:
    assert (ROOT / "docs" / file).read_text() == generate.filled(file), "run `make docs`"


def test_every_error_says_what_to_do() -> None:
    assert catalogue.WHAT_TO_DO.keys() == CODES.keys()


def test_every_error_class_is_in_the_catalogue() -> None:
    def below(kind: type[XpError]) -> set[type[XpError]]:
        return {kind, *(deeper for sub in kind.__subclasses__() for deeper in below(sub))}

    assert below(XpError) - {XpError} == set(CODES.values())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def _run(script: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = ["bash", "-euo", "pipefail", "-c", script]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)


async def test_the_tour_works(tmp_path: Path) -> None:
    """The tour of the README, to the letter, but for the port and where `xp` and the data are."""
    server = ServerProcess(tmp_path / "data")
    await server.start()
    try:
        blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
        tour = "".join(block for block in blocks if "$THREAD" in block)
        script = tour.replace("http://127.0.0.1:8787", server.url)
        environment = {**os.environ, **server.settings}
        done = await asyncio.to_thread(_run, script, environment)
    finally:
        assert await server.stop() == 0
    assert done.stderr == ""
    assert '"success":false' not in done.stdout
    for event in ("thread.created", "message.created", "reaction.added", "message.updated"):
        assert event in done.stdout
    live = done.stdout.split("event: message.updated")
    assert len(live) == 2, done.stdout
    assert [line for line in done.stdout.splitlines() if "Tour" in line and not line.startswith(("{", "data:"))]
    assert "# Experience server\n" in done.stdout
    assert '"title":"What the tour saw"' in done.stdout.splitlines()[-1]
