"""Which maker makes the preview of which type. Makers are imported when needed: some need the extra `preview`."""

import importlib
from collections.abc import Callable
from importlib.util import find_spec

from server.files.types.type_names import DOCX, ODP, ODS, ODT, PPTX, XLSX, is_textual
from server.previews.job import Job
from server.previews.preview import Preview, PreviewFailed

Maker = Callable[[Job], Preview]

IMAGES = frozenset(
    {"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp", "image/tiff", "image/x-icon"}
)
TABLES = frozenset({"text/csv", "text/tab-separated-values"})
OFFICE = frozenset({DOCX, XLSX, PPTX, ODT, ODS, ODP})
CONVERTED = frozenset(
    {"application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint", "application/rtf"}
    | {"application/vnd.ms-word.document.macroenabled.12", "application/vnd.ms-excel.sheet.macroenabled.12"}
)
"""Only where a converter is set."""
SOURCE = frozenset({"text/html", "application/xml"})
"""Shown as what they are written in: never rendered."""
EXTRA = ("PIL", "pypdfium2", "blurhash", "tinytag")
HOW_TO_INSTALL = "pip install 'experience-server[preview]'"

_made: dict[str, Maker] = {}
"""Makers that a process has added: tests do."""


def missing_extra() -> str | None:
    """A sentence for the log, where pictures, PDF and media get no previews; None where all is there."""
    missing = [name for name in EXTRA if find_spec(name) is None]
    if not missing:
        return None
    return f"no previews of pictures, PDF, audio and video: {', '.join(missing)} is not installed ({HOW_TO_INSTALL})"


def can_preview(media_type: str, *, converter: bool = False) -> bool:
    """Whether it is worth a job. SVG has none: it is never rendered here."""
    return _maker_name(media_type) is not None and (converter or media_type not in CONVERTED)


def make(job: Job) -> Preview:
    """Raises `PreviewFailed`, and whatever a library raises for a damaged file."""
    added = _made.get(job.media_type)
    if added is not None:
        return added(job)
    name = _maker_name(job.media_type)
    if name is None:
        return Preview()
    try:
        module = importlib.import_module(f"server.previews.makers.{name}")
    except ImportError as error:
        raise PreviewFailed(f"{job.media_type} needs the extra `preview`: {HOW_TO_INSTALL}") from error
    maker: Maker = module.make
    return maker(job)


def add_maker(media_type: str, maker: Maker) -> None:
    _made[media_type] = maker


def _maker_name(media_type: str) -> str | None:
    if media_type in IMAGES:
        return "images"
    if media_type == "application/pdf":
        return "pdf"
    if media_type in TABLES:
        return "tables"
    if media_type in OFFICE or media_type in CONVERTED:
        return "office"
    if media_type.startswith(("audio/", "video/")):
        return "media"
    return "texts" if is_textual(media_type) or media_type in SOURCE else None
