"""Text and code: the beginning. Colours are the client's matter."""

from pathlib import Path

from server.files.types.text_encoding import decode_text
from server.previews.job import Job
from server.previews.limits import TEXT_CHARS, TEXT_SHOWN_CHARS
from server.previews.preview import Output, Preview, PreviewFailed

BYTES_PER_CHAR = 4


def make(job: Job) -> Preview:
    text, whole = beginning(job.path)
    shown = text[:TEXT_SHOWN_CHARS]
    metadata = {"lines": shown.count("\n") + 1, "truncated": not whole or len(shown) < len(text)}
    return Preview((write_text(shown, job.into),), text or None, metadata)


def beginning(path: Path) -> tuple[str, bool]:
    """Text of a file as far as it is searched, and whether that is all."""
    with path.open("rb") as file:
        data = file.read(BYTES_PER_CHAR * TEXT_CHARS + 1)
    whole = len(data) <= BYTES_PER_CHAR * TEXT_CHARS
    found = decode_text(data, whole=whole)
    if found is None:
        raise PreviewFailed("it is no text")
    return found.text[:TEXT_CHARS], whole and len(found.text) <= TEXT_CHARS


def write_text(text: str, into: Path) -> Output:
    path = into / "text.txt"
    path.write_bytes(text.encode(errors="replace"))
    return Output("text", path, "text/plain", path.stat().st_size)
