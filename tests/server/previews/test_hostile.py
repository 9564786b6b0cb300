"""A corpus of hostile files: each is refused or harmless, and the server is unmoved."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from server.previews import limits
from server.previews.limits import WorkerLimits
from server.previews.preview import Preview, PreviewFailed
from server.previews.previewer import Previewer
from tests.server.previews import corpus

LIMITS = WorkerLimits(memory=768 * 1024 * 1024, cpu_seconds=10)


@pytest.fixture
async def previewer() -> AsyncIterator[Previewer]:
    previewer = Previewer(workers=2, limits=LIMITS)
    yield previewer
    await previewer.close()


async def _outcome(previewer: Previewer, hostile: corpus.Hostile, folder: Path) -> Preview | PreviewFailed:
    path = folder / "file"
    await asyncio.to_thread(_write, path, hostile.data)
    try:
        return await previewer.preview(path, hostile.media_type, folder / "into")
    except PreviewFailed as failed:
        assert not (folder / "into").exists()
        return failed


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(data)


def _complaint(hostile: corpus.Hostile, outcome: Preview | PreviewFailed) -> str | None:
    """What is wrong with an outcome; None where it is as it must be."""
    if isinstance(outcome, PreviewFailed):
        as_expected = hostile.refused is not None and re.search(hostile.refused, outcome.reason)
        as_expected = as_expected and "/tmp" not in outcome.reason
        return None if as_expected and not outcome.retryable else f"{hostile.name}: {outcome.reason}"
    if hostile.refused is not None and not hostile.refused.endswith("$"):
        return f"{hostile.name}: expected a refusal, got {outcome}"
    sizes = [output.size for output in outcome.outputs]
    small = sum(sizes) < 4 * limits.MIB and len(outcome.text or "") <= limits.TEXT_CHARS
    return None if small else f"{hostile.name}: {sizes} bytes, {len(outcome.text or '')} characters"


async def test_each_is_refused_or_harmless_and_the_server_is_unmoved(previewer: Previewer, tmp_path: Path) -> None:
    hostile = await asyncio.to_thread(lambda: list(corpus.files()))
    memory = psutil.Process().memory_info().rss
    outcomes = await asyncio.gather(
        *(_outcome(previewer, each, tmp_path / str(number)) for number, each in enumerate(hostile))
    )
    complaints = [_complaint(each, outcome) for each, outcome in zip(hostile, outcomes, strict=True)]
    assert [complaint for complaint in complaints if complaint] == []
    assert psutil.Process().memory_info().rss - memory < 64 * limits.MIB


async def test_what_is_made_of_text_stays_text(previewer: Previewer, tmp_path: Path) -> None:
    """HTML is shown as it is written; of SVG there is nothing."""
    html = corpus.Hostile("html", "text/html", b"<script>alert(1)</script>")
    made = await _outcome(previewer, html, tmp_path / "html")
    assert isinstance(made, Preview)
    assert [output.media_type for output in made.outputs] == ["text/plain"]
    svg = corpus.Hostile("svg", "image/svg+xml", b"<svg onload='alert(1)'/>")
    assert await _outcome(previewer, svg, tmp_path / "svg") == Preview()
