"""A document as PDF: what its authors wrote goes to Typst as data, never as markup."""

import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import orjson

from server.exports.worker import limits
from server.exports.worker.charts import size
from server.exports.worker.fonts import font_set
from server.exports.worker.kinds import HOW_TO_INSTALL, OUTPUTS
from server.exports.worker.layout import placed, table
from server.exports.worker.markdown_nodes import nodes_of, texts_of
from server.previews.job import Job
from server.previews.preview import Output, Preview, PreviewFailed

TEMPLATE: Final = Path(__file__).with_name("document.typ")
POINTS: Final = 0.75
"""Of a pixel."""
_PAGES: Final = re.compile(rb"/Type */Pages */Count +(\d+)")


def make(job: Job) -> Preview:
    """The job's file is what `server/exports/document.py` makes; its output is named `document`.

    In its metadata: `pages`, and `missing_scripts` where no font has some characters.
    """
    asked = orjson.loads(job.path.read_bytes())
    return _Setter(asked, job.into).preview()


class _Setter:
    def __init__(self, asked: dict[str, Any], into: Path) -> None:
        self._asked = asked
        self._into = into
        self._pictures = 0
        self._until = time.monotonic() + limits.MARKDOWN_SECONDS
        parts = [*asked["parts"], *(panel["part"] for panel in asked["panels"])]
        self._deeper = int(any(part["kind"] == "heading" for part in parts))

    def preview(self) -> Preview:
        document = self._document()
        (self._into / "document.json").write_bytes(orjson.dumps(document))
        (self._into / "document.typ").write_bytes(TEMPLATE.read_bytes())
        fonts = _fonts(self._asked)
        missing = fonts.missing_scripts(texts_of(self._asked))
        path = self._into / "document.pdf"
        body = self._compiled(fonts.typst)
        path.write_bytes(body)
        metadata: dict[str, int | float | str | bool] = {"pages": _pages(body)}
        if missing:
            metadata["missing_scripts"] = ", ".join(missing)[:200]
        return Preview((Output("document", path, OUTPUTS["pdf"], len(body)),), metadata=metadata)

    def _compiled(self, fonts: Any) -> bytes:
        import typst

        try:
            made = typst.compile(
                self._into / "document.typ", root=self._into, font_paths=fonts, package_path=self._into,
                package_cache_path=self._into, timestamp=datetime.fromtimestamp(self._asked["made_at"], UTC),
            )  # fmt: skip
        except typst.TypstError as error:
            raise PreviewFailed(f"the document cannot be set: {str(error)[:200]}") from error
        assert isinstance(made, bytes)
        return made

    def _document(self) -> dict[str, Any]:
        parts = list(map(self._part, self._asked["parts"]))
        panels = placed(
            [{**panel, "part": self._part(panel["part"])} for panel in self._asked["panels"]], self._asked["columns"]
        )
        return {**self._asked, "parts": parts, "panels": panels, "contents": self._has_contents(parts)}

    def _has_contents(self, parts: list[dict[str, Any]]) -> bool:
        """From three headings on: a note of a page needs none."""
        inside = [node for part in parts for node in part.get("nodes", ()) if node["t"] == "heading"]
        return len(inside) + len([part for part in parts if part["kind"] == "heading"]) >= 3

    def _part(self, part: dict[str, Any]) -> dict[str, Any]:
        match part["kind"]:
            case "heading":
                return {**part, "level": max(1, part["level"] - 1)}
            case "text":
                return {"kind": "text", "nodes": list(map(_sized, nodes_of(part["pieces"], self._deeper, self._until)))}
            case "table":
                return {**part, **table(part["columns"], part["rows"], part["left_out"])}
            case "picture":
                return self._picture(part)
        return part

    def _picture(self, part: dict[str, Any]) -> dict[str, Any]:
        """Beside the document: Typst reads nothing from elsewhere."""
        path = Path(part["path"])
        body = path.read_bytes()
        self._pictures += 1
        name = f"picture-{self._pictures}{path.suffix if 'width' in part else '.svg'}"
        (self._into / name).write_bytes(body)
        width, height = (part["width"], part["height"]) if "width" in part else size(body.decode())
        return {**part, "path": name, "width": width * POINTS, "height": height * POINTS}


def _sized(node: dict[str, Any]) -> dict[str, Any]:
    """Tables of Markdown, wherever they stand, get their widths."""
    if node["t"] == "cells":
        return {**node, **table([], [], 0, width=len(node["head"])), "head": node["head"], "rows": node["rows"]}
    inner = node.get("c")
    if node["t"] == "quote":
        return {**node, "c": list(map(_sized, inner or []))}
    if node["t"] == "list":
        return {**node, "c": [list(map(_sized, item)) for item in inner or []]}
    return node


def _fonts(asked: dict[str, Any]) -> Any:
    try:
        return font_set(asked["fonts"], system=asked["system_fonts"])
    except ImportError as error:
        raise PreviewFailed(f"PDF needs the extra `pdf`: {HOW_TO_INSTALL}") from error


def _pages(body: bytes) -> int:
    """As the root of its page tree says."""
    found = _PAGES.search(body)
    return int(found[1]) if found else 1
