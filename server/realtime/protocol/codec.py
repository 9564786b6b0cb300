"""The two forms of the protocol behind one interface: what a frame says, without how it is written."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from actors.delivery.channel import Attendance
from actors.delivery.publication import Publication


class Codec(Protocol):
    """One form, without any state: all connections of a form share it. Modules implement this.

    What makes results, replies and pushes answers bytes of the same form. Values of an application (`data` and the
    like) are JSON in both, but for what is published to live channels, which may be any bytes.
    """

    @property
    def is_binary(self) -> bool: ...

    @property
    def separator(self) -> bytes:
        """Between two chunks in one frame, and after each in a stream without frames."""
        ...

    @property
    def ping(self) -> bytes: ...

    @property
    def nothing(self) -> bytes:
        """A result without fields."""
        ...

    def commands(self, frame: Any) -> Iterator[dict[str, Any]]:
        """The commands of a frame (bytes where the form is binary, else text) in order, an empty one for each pong.

        Each is a dict as JSON has it, with only what was sent; `data` may be bytes, as they were sent. Raises
        `BadFrame` at the first that is none.
        """
        ...

    def reply(self, number: int, verb: str, result: bytes) -> bytes: ...

    def error(self, number: int, code: int, message: str, *, temporary: bool = False) -> bytes: ...

    def result(self, verb: str, fields: Mapping[str, Any]) -> bytes:
        """The result of a verb from plain values, by the names that the protocol's schema has for them."""
        ...

    def connected(self, fields: Mapping[str, Any], subs: Mapping[str, bytes]) -> bytes:
        """The result of a connect, with what `subscribed` made for each channel that comes by itself."""
        ...

    def data(self, value: bytes) -> bytes:
        """The result of an rpc; `value` is JSON."""
        ...

    def subscribed(
        self,
        epoch: str,
        offset: int,
        missed: Sequence[Publication] | None,
        *,
        was_recovering: bool,
        ttl: int | None = None,
    ) -> bytes:
        """The result of a subscribe. `missed` is None where recovery is impossible, `ttl` where it does not expire."""
        ...

    def page(self, items: Sequence[Publication], epoch: str, offset: int) -> bytes:
        """The result of a history."""
        ...

    def pushes(self, channel: str, items: Sequence[Publication]) -> bytes:
        """The wire format of every connection of this form: one push a publication."""
        ...

    def attendance_push(self, attendance: Attendance) -> bytes:
        """Who joined or left."""
        ...

    def unsubscribe_push(self, channel: str, code: int, reason: str) -> bytes: ...

    def disconnect_push(self, code: int, reason: str) -> bytes:
        """The end, where the transport has no word of its own for it."""
        ...
