"""A streamed message: its text so far, how much of it was published and saved, and how it ends. Pure.

Lengths and indexes count characters (Unicode code points), sizes bytes of UTF-8.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from actors import limits
from actors.auth.identity import Identity
from actors.errors import Conflict, TooLarge
from actors.resources.users import Author, UserKind

REPLACEMENT: Final = "\ufffd"
"""For half of a surrogate pair that stays alone, as Unicode recommends."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Decided by the server itself: written until the journal has taken it."""

    reason: str
    status: Literal["FAILED", "INTERRUPTED"] = "INTERRUPTED"
    actor: Author | None = None
    """The user who ended it; None: its author, or the server."""


class Stream:
    """Owned by its thread's actor. What was appended lives here; about once a second it is saved."""

    __slots__ = (
        "_half",
        "_parts",
        "_pending",
        "author_key",
        "author_kind",
        "ending",
        "finishing",
        "held",
        "identity",
        "is_over",
        "is_resumed",
        "length",
        "message_id",
        "saved",
        "saved_at",
        "sent",
        "size",
        "touched_at",
    )

    def __init__(
        self,
        message_id: str,
        author_key: int,
        text: str = "",
        *,
        author_kind: UserKind = "ASSISTANT",
        now: float = 0.0,
        is_resumed: bool = False,
    ) -> None:
        """`is_resumed`: started by an earlier process, which may have published more than it had saved."""
        self.message_id = message_id
        self.author_key = author_key
        self.author_kind = author_kind
        self.is_resumed = is_resumed
        self.identity: Identity | None = None
        """Of its author with the last append; None before."""
        self.ending: Ending | None = None
        self.is_over = False
        """Ended and durable; the event is on its way."""
        self.finishing = 0
        """Commands in the journal that may end it. Text appended meanwhile is held until their outcome is known."""
        self.held: list[Callable[[], None]] = []
        self.length = self.sent = len(text)
        self.saved: int | None = self.length
        """Characters in the database; None where that is not known."""
        self.saved_at = now
        self.size = len(text.encode())
        self.touched_at = now
        """When something was appended last, by the clock of the event loop."""
        self._parts = [text] if text else []
        self._pending: list[str] = []
        self._half = ""

    @property
    def text(self) -> str:
        if len(self._parts) > 1:
            self._parts = ["".join(self._parts)]
        return self._parts[0] if self._parts else ""

    @property
    def final_text(self) -> str:
        """If nothing more is appended."""
        return self.text + REPLACEMENT if self._half else self.text

    @property
    def is_unclaimed(self) -> bool:
        """Its process is gone, and its author has not come back to it."""
        return self.is_resumed and self.identity is None

    def is_not_saved(self) -> None:
        """What was to be saved last was not: it is tried again."""
        self.saved = None

    def append(self, text: str, index: int | None, now: float) -> None:
        """Take more text. With `index`, a retry does not duplicate text.

        A piece may end with half of a surrogate pair, which counts once the other half is there.
        Raises `Conflict` (code `stream_gap`) where something is missing before it, `TooLarge` beyond a message's size.
        """
        self.touched_at = now
        if index is not None and index != self.length:
            if index < self.length and (self.text + self._half)[index : index + len(text)] == text:
                return
            raise Conflict(
                f"The text so far has {self.length} characters, but the piece starts at {index}; "
                "send what follows the text so far.",
                code="stream_gap",
            )  # fmt: skip
        half = self._half
        if half and index is not None and text and not _is_low(text[0]):
            half = ""  # the piece that ended with it comes again
        self._half = self._take(text, half)

    def _take(self, text: str, half: str) -> str:
        """Answers the half that is left over."""
        rest = ""
        if half or not text.isascii():
            text, rest = joined(half + text)
        size = len(text.encode())
        if self.size + size > limits.CONTENT_BYTES:
            raise TooLarge("A message's content", limits.CONTENT_BYTES, self.size + size)
        if text:
            self._parts.append(text)
            self._pending.append(text)
            self.length += len(text)
            self.size += size
        return rest

    def take_delta(self) -> tuple[int, str] | None:
        """(index, text) that was not published yet, or None."""
        if not self._pending:
            return None
        index, text = self.sent, "".join(self._pending)
        self._pending = []
        self.sent = self.length
        return index, text

    def must_take_more(self) -> None:
        """Raises `Conflict` (code `not_streaming`)."""
        if self.is_over or self.ending is not None:
            raise not_streaming()


def not_streaming() -> Conflict:
    return Conflict(
        "There is no message of yours with this id that is being written here: it was completed or stopped.",
        code="not_streaming",
    )


def joined(text: str) -> tuple[str, str]:
    """(text, half): halves of surrogate pairs are joined, the first half at its end is left over, others replaced."""
    try:
        text.encode()
    except UnicodeEncodeError:
        half = text[-1] if "\ud800" <= text[-1] <= "\udbff" else ""
        whole = text[:-1] if half else text
        return whole.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace"), half
    return text, ""


def whole(text: str) -> str:
    """The same for a text that nothing follows."""
    text, half = joined(text)
    return text + REPLACEMENT if half else text


def _is_low(character: str) -> bool:
    return "\udc00" <= character <= "\udfff"
