"""The files that figures of a document show, with the rights of who exports it. What is not shown says why."""

from dataclasses import replace

from actors import limits
from actors.auth.identity import Identity
from actors.blobs import BlobError, BlobStore
from actors.errors import Forbidden, NotFound, XpError
from actors.resources.artifacts.outline import Figure, Panel
from actors.resources.files.file import File
from actors.resources.files.queries import GetFile
from actors.resources.files.rules import unreadable
from server.artifacts.exporting import Source
from server.artifacts.images import TYPES, Image, image_of
from server.artifacts.printing import Compute, Format
from server.artifacts.sources import Ask

SHOWN_IN: frozenset[Format] = frozenset({"html", "pdf"})
"""Formats that show pictures."""


async def with_images(ask: Ask, blobs: BlobStore, identity: Identity, source: Source, compute: Compute) -> Source:
    """The source with what its figures show, as far as the identity may read it and it fits."""
    wanted = await compute(lambda: _named(source))
    reader = _Reader(ask, blobs, identity)
    return replace(source, images={file_id: await reader.image(file_id) for file_id in wanted})


def _named(source: Source) -> tuple[str, ...]:
    """Files, each once. The file of a PDF is the document itself."""
    own = source.content.get("file_id") if isinstance(source.content, dict) else None
    inside = (part.part if isinstance(part, Panel) else part for part in source.parts)
    found = (part.file_id for part in inside if isinstance(part, Figure))
    return tuple(dict.fromkeys(file_id for file_id in found if file_id and file_id != own))


class _Reader:
    """Counts what a document may hold."""

    def __init__(self, ask: Ask, blobs: BlobStore, identity: Identity) -> None:
        self._ask, self._blobs, self._identity = ask, blobs, identity
        self._count, self._bytes, self._pixels = 0, 0, 0

    async def image(self, file_id: str) -> Image | str:
        """Or why there is none, as the end of a sentence."""
        try:
            file: File = await self._ask(GetFile(self._identity, file_id))
        except (NotFound, Forbidden):
            return "there is no such file for the reader of this document"
        if unreadable(file) is not None or file.version is None:
            return "the content of the file cannot be had now"
        if file.version.media_type not in TYPES:
            return "the file is no PNG, JPEG, GIF or WebP"
        if (fault := self._too_large(file.version.size)) is not None:
            return fault
        try:
            body = b"".join([piece async for piece in self._blobs.open(file.version.digest)])
        except (BlobError, XpError):
            return "the content of the file cannot be had now"
        return self._fitting(image_of(body))

    def _too_large(self, size: int) -> str | None:
        if self._count >= limits.EXPORT_IMAGES:
            return f"a document shows {limits.EXPORT_IMAGES} files at most"
        if size > limits.EXPORT_IMAGE_BYTES:
            return f"the file has more than {limits.EXPORT_IMAGE_BYTES >> 20} MiB"
        if self._bytes + size > limits.EXPORT_IMAGES_BYTES:
            return f"the pictures of a document have {limits.EXPORT_IMAGES_BYTES >> 20} MiB at most"
        return None

    def _fitting(self, image: Image | None) -> Image | str:
        if image is None:
            return "the file cannot be read as a picture"
        pixels = image.width * image.height
        if pixels > limits.EXPORT_IMAGE_PIXELS or self._pixels + pixels > limits.EXPORT_IMAGES_PIXELS:
            return f"it has too many pixels ({image.width} × {image.height})"
        self._count, self._bytes, self._pixels = self._count + 1, self._bytes + len(image.body), self._pixels + pixels
        return image
