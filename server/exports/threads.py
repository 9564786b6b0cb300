"""A thread as a file: its newest messages as JSON, Markdown, HTML or PDF. How many, is bounded, and said."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal, get_args

import orjson

from actors import limits
from actors.auth.identity import Identity
from actors.errors import TooLarge
from actors.resources.artifacts import markdown
from actors.resources.artifacts.outline import Part, Text
from actors.resources.blocks.markdown import escaped
from actors.resources.messages import ListMessages, Message
from actors.resources.threads import GetThread, Thread
from server.api import render
from server.artifacts.page import page
from server.artifacts.printing import Compute, alone
from server.artifacts.sources import Ask
from server.exports.document import Document
from server.exports.exported import Exported
from server.exports.printer import OnProgress, Printer, no_progress
from server.exports.worker.kinds import OUTPUTS
from server.resources.blocks.rendering import render as rendered

ThreadFormat = Literal["json", "markdown", "html", "pdf"]
THREAD_FORMATS: Final[tuple[ThreadFormat, ...]] = get_args(ThreadFormat)


@dataclass(frozen=True, slots=True)
class Transcript:
    thread: Thread
    messages: Sequence[Message]
    """Oldest first."""
    left_out: int
    """Older ones."""

    @property
    def title(self) -> str:
        return self.thread.title or "A thread"

    @property
    def about(self) -> str:
        count = len(self.messages)
        if not self.left_out:
            return f"Thread, {count} messages"
        return f"Thread, the newest {count} messages; {self.left_out} older ones are left out"

    @property
    def parts(self) -> tuple[Part, ...]:
        return tuple(Text(part) for message in self.messages for part in (_byline(message), _said(message)) if part)


async def transcript_of(ask: Ask, identity: Identity, thread_id: str, most: int) -> Transcript:
    """Its newest messages, `most` at the most. Raises `NotFound`, and `TooLarge`."""
    thread = await ask(GetThread(identity, thread_id))
    found: list[Message] = []
    before: str | None = None
    size = 0
    while len(found) < most:
        wanted = min(limits.PAGE_MAX, most - len(found))
        listed = await ask(ListMessages(identity, thread_id, limit=wanted, before=before))
        found += listed.items
        size += sum(len(message.content) + len(message.blocks or "") for message in listed.items)
        if size > limits.EXPORT_THREAD_BYTES:
            raise TooLarge("The messages of an exported thread", limits.EXPORT_THREAD_BYTES, None)
        if listed.next_cursor is None:
            break
        before = str(listed.items[-1].offset)
    left_out = max(0, found[-1].number - 1) if found else 0
    return Transcript(thread, found[::-1], left_out)


async def exported_thread(
    printer: Printer, transcript: Transcript, form: ThreadFormat, on_progress: OnProgress = no_progress,
    *, compute: Compute = alone,
) -> Exported:  # fmt: skip
    """Raises `Conflict` and `Unavailable` for a PDF that cannot be made."""
    if form != "pdf":
        return await compute(partial(_as_text, transcript, form))
    made = await printer.pdf(await compute(partial(_document, transcript)), on_progress)
    return Exported(
        f"{transcript.title}.pdf", OUTPUTS["pdf"], made.body, made.pages, made.missing_scripts,
        threads=(transcript.thread.id,), left_out=transcript.left_out,
    )  # fmt: skip


def most_of(form: ThreadFormat, *, at_once: bool) -> int:
    """Messages that an export has at most."""
    most = limits.THREAD_EXPORT_MESSAGES if at_once else limits.THREAD_JOB_MESSAGES
    return min(most, limits.PDF_MESSAGES) if form == "pdf" else most


def _document(transcript: Transcript) -> Document:
    return Document(
        transcript.title, transcript.parts, transcript.about, made_at=transcript.thread.updated_at
    )  # fmt: skip


def _as_text(transcript: Transcript, form: ThreadFormat) -> Exported:
    if form == "json":
        return _file(
            transcript, "json", "application/json", orjson.dumps(_json(transcript), option=orjson.OPT_INDENT_2)
        )
    if form == "html":
        body = page(transcript.title, transcript.parts, transcript.about)
        return _file(transcript, "html", "text/html; charset=utf-8", body.encode())
    body = markdown.document(transcript.title, [Text(escaped(transcript.about)), *transcript.parts])
    return _file(transcript, "md", "text/markdown; charset=utf-8", body.encode())


def _file(transcript: Transcript, extension: str, media_type: str, body: bytes) -> Exported:
    return Exported(
        f"{transcript.title}.{extension}",
        media_type,
        body,
        threads=(transcript.thread.id,),
        left_out=transcript.left_out,
    )


def _json(transcript: Transcript) -> dict[str, Any]:
    return {
        "thread": {"id": transcript.thread.id, "title": transcript.thread.title},
        "left_out": transcript.left_out,
        "messages": [render.message(message) for message in transcript.messages],
    }


def _byline(message: Message) -> str:
    at = render.iso_time(message.created_at)[:16].replace("T", " ")
    edited = ", edited" if message.edited_at is not None else ""
    return f"**{escaped(message.author.name)}** · {at} UTC{edited}"


def _said(message: Message) -> str:
    if message.deleted_at is not None:
        return "*This message was deleted.*"
    files = [f"- {escaped(file.name)}" for file in message.files]
    return "\n\n".join(filter(None, (rendered(message, "markdown"), "\n".join(files))))
