"""A message that is still being written: its text so far, and what of it has been told and saved. Pure.

Lengths and indexes count characters (Unicode code points), sizes bytes of UTF-8.
"""

from actors import limits
from actors.errors import Conflict, TooLarge


class Stream:
    """Owned by its thread's actor. What was appended lives here; about once a second it is saved."""

    __slots__ = (
        "_parts",
        "_pending",
        "author_key",
        "length",
        "message_id",
        "saved",
        "saved_at",
        "size",
        "told",
        "touched_at",
    )

    def __init__(self, message_id: str, author_key: int, text: str = "", *, now: float = 0.0) -> None:
        self.message_id = message_id
        self.author_key = author_key
        self.length = self.told = self.saved = len(text)
        self.saved_at = now
        self.size = len(text.encode())
        self.touched_at = now
        """When something was appended last, by the clock of the event loop."""
        self._parts = [text] if text else []
        self._pending: list[str] = []

    @property
    def text(self) -> str:
        if len(self._parts) > 1:
            self._parts = ["".join(self._parts)]
        return self._parts[0] if self._parts else ""

    def append(self, text: str, index: int | None, now: float) -> None:
        """Take more text. With `index`, a retry of what is there already is no second text.

        Raises `Conflict` (code `stream_gap`) where something is missing before it, `TooLarge` beyond a message's size.
        """
        self.touched_at = now
        if index is not None and index != self.length:
            if index < self.length and self.text[index : index + len(text)] == text:
                return
            raise Conflict(
                f"The text so far has {self.length} characters, the piece says it starts at {index}; "
                "send what follows the text so far.",
                code="stream_gap",
            )  # fmt: skip
        size = len(text.encode())
        if self.size + size > limits.CONTENT_BYTES:
            raise TooLarge("A message's content", limits.CONTENT_BYTES, self.size + size)
        self._parts.append(text)
        self._pending.append(text)
        self.length += len(text)
        self.size += size

    def take_delta(self) -> tuple[int, str] | None:
        """(index, text) that was not told yet; None where everything was."""
        if not self._pending:
            return None
        index, text = self.told, "".join(self._pending)
        self._pending = []
        self.told = self.length
        return index, text
