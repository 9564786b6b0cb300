"""Draws charts and sets documents in worker processes, as previews are made; the event loop only waits."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import orjson

from actors import limits
from actors.errors import Conflict, Unavailable
from server.artifacts.images import Image, Images
from server.exports.document import Document, as_json
from server.exports.drawn import DrawnCharts
from server.exports.worker import limits as worker_limits
from server.exports.worker.kinds import CHART, DOCUMENT, OUTPUTS, missing_extra
from server.files.scratch_folder import scratch_folder
from server.previews.limits import WorkerLimits
from server.previews.preview import Preview, PreviewFailed
from server.previews.previewer import Previewer

WORKER: Final = "server.exports.worker.main"
FOLDER: Final = "xp-export-"
"""How the names of its folders begin."""
_REASONS: Final = {
    "the worker ended with SIGXCPU": f"it takes more than {worker_limits.WORKER.cpu_seconds} seconds to make",
    **{
        f"the worker ended with {name}": "it takes more memory than an export may have"
        for name in ("SIGABRT", "SIGILL", "SIGSEGV", "SIGTRAP")
    },
}
OnProgress = Callable[[int, int], None]
"""Called with steps that are done, and steps in all."""


@dataclass(frozen=True, slots=True)
class Printed:
    body: bytes
    pages: int | None = None
    missing_scripts: str | None = None
    """Scripts of which the server's fonts lack some characters: `Han, Arabic`."""
    undrawn: int = 0
    """Charts that could not be drawn; their data stand in their place."""


def no_progress(_done: int, _steps: int) -> None:
    pass


class Printer:
    """Its workers start with the first export, and end when none has come for a while."""

    def __init__(
        self,
        *,
        workers: int = 1,
        fonts: Path | None = None,
        system_fonts: bool = True,
        bounds: WorkerLimits | None = None,
    ) -> None:
        self._workers = Previewer(
            workers=workers, waiting=limits.EXPORTS_WAITING, limits=bounds or worker_limits.WORKER, module=WORKER,
            outputs=OUTPUTS,
        )  # fmt: skip
        self._fonts = None if fonts is None else str(fonts.absolute())
        self.system_fonts = system_fonts
        self._charts = DrawnCharts()

    async def close(self) -> None:
        await self._workers.close()

    async def chart(self, spec: Mapping[str, Any], form: Literal["svg", "png"]) -> bytes:
        """Raises `Conflict` for a chart that cannot be drawn, and `Unavailable`."""
        _must_have_extra()
        with scratch_folder(FOLDER) as folder:
            try:
                return await asyncio.to_thread((await self._drawn(spec, form, folder / "chart")).read_bytes)
            except PreviewFailed as failure:
                raise _refusal("The chart", failure) from failure

    async def pdf(self, document: Document, on_progress: OnProgress = no_progress) -> Printed:
        """Raises `Conflict` for a document that cannot be set, and `Unavailable`. A chart that cannot be drawn is shown
        as a table of its data."""
        _must_have_extra()
        with scratch_folder(FOLDER) as folder:
            try:
                pictures = await self._pictures(document, folder, on_progress)
                made = await self._set_with_images(document, pictures, folder)
            except PreviewFailed as failure:
                raise _refusal("The document", failure) from failure
            body = await asyncio.to_thread(made.outputs[0].path.read_bytes)
        scripts = made.metadata.get("missing_scripts")
        return Printed(
            body, int(made.metadata["pages"]), None if scripts is None else str(scripts),
            len(document.charts) - len(pictures),
        )  # fmt: skip

    async def pictures(self, document: Document, on_progress: OnProgress = no_progress) -> dict[int, bytes]:
        """Of its charts, as SVG, by their place among them. Those that cannot be drawn are left out."""
        _must_have_extra()
        specs = [chart.spec for chart in document.charts]
        kept = [self._charts.find(spec) for spec in specs]
        if all(picture is not None for picture in kept):
            return {number: picture for number, picture in enumerate(kept) if picture is not None}
        with scratch_folder(FOLDER) as folder:
            found = await self._pictures(document, folder, on_progress)
            made = {number: await asyncio.to_thread(path.read_bytes) for number, path in found.items()}
        for number, picture in made.items():
            self._charts.keep(specs[number], picture)
        return made

    async def _pictures(self, document: Document, folder: Path, on_progress: OnProgress) -> dict[int, Path]:
        charts = document.charts
        found: dict[int, Path] = {}
        for number, chart in enumerate(charts):
            on_progress(number, len(charts) + 1)
            try:
                found[number] = await self._drawn(chart.spec, "svg", folder / f"chart-{number}")
            except PreviewFailed as failure:
                if failure.retryable:
                    raise
        on_progress(len(charts), len(charts) + 1)
        return found

    async def _drawn(self, spec: Mapping[str, Any], form: str, into: Path) -> Path:
        asked = {"spec": spec, "format": form, "fonts": self._fonts}
        return (await self._made(asked, CHART, into)).outputs[0].path

    async def _set_with_images(self, document: Document, pictures: Mapping[int, Path], folder: Path) -> Preview:
        """Without them all where one is damaged: a document is better than none."""
        images = await asyncio.to_thread(_written, document.images, folder)
        try:
            return await self._set(document, pictures, images, folder / "document")
        except PreviewFailed as failure:
            if failure.retryable or not images:
                raise
            return await self._set(document, pictures, {}, folder / "without-images")

    async def _set(
        self, document: Document, pictures: Mapping[int, Path], images: Mapping[str, Path], into: Path
    ) -> Preview:
        nodes = await asyncio.to_thread(as_json, document, pictures, images)
        asked = {**nodes, "fonts": self._fonts, "system_fonts": self.system_fonts}
        return await self._made(asked, DOCUMENT, into)

    async def _made(self, asked: Mapping[str, Any], kind: str, into: Path) -> Preview:
        source = into.with_suffix(".asked.json")
        await asyncio.to_thread(lambda: source.write_bytes(orjson.dumps(asked)))
        made = await self._workers.preview(source, kind, into)
        if len(made.outputs) != 1:
            raise PreviewFailed("the worker made nothing")
        return made


def _written(images: Images, folder: Path) -> dict[str, Path]:
    """File → where its picture stands for the worker."""
    found = {file_id: image for file_id, image in images.items() if isinstance(image, Image)}
    paths: dict[str, Path] = {}
    for number, (file_id, image) in enumerate(found.items()):
        paths[file_id] = folder / f"image-{number}.{image.ending}"
        paths[file_id].write_bytes(image.body)
    return paths


def _must_have_extra() -> None:
    missing = missing_extra()
    if missing is not None:
        raise Conflict(missing, code="extra_missing")


def _refusal(what: str, failure: PreviewFailed) -> Conflict | Unavailable:
    if failure.retryable:
        return Unavailable(f"{what} cannot be made right now: {failure.reason}; retry.")
    return Conflict(f"{what} cannot be exported: {_REASONS.get(failure.reason, failure.reason)}.", code="export_failed")
