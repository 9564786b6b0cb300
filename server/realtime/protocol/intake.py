"""How much one client may send, whatever it is: frames of every kind, the commands in them, bytes. Pure.

Commands that are understood have a limit of their own, which answers with an error. This one counts what no answer can
be given to as well (pongs, control frames, fragments, empty lines), so its end is the end of the connection.
"""

import time

from actors import limits


class Intake:
    """A stranger may send a connect and little else; a client that is known so much in each window of time."""

    __slots__ = ("_bytes_left", "_is_known", "_items_left", "_window_ends", "is_free")

    def __init__(self) -> None:
        self.is_free = False
        """Nothing is counted: the operator has turned limits off, and the client is known."""
        self._is_known = False
        self._window_ends = 0.0
        self._items_left = limits.FRAMES_BEFORE_CONNECT
        self._bytes_left = limits.BYTES_BEFORE_CONNECT

    def take(self, items: int, size: int = 0) -> bool:
        """Whether so many frames or commands of so many bytes may still come."""
        if self.is_free:
            return True
        if self._is_known:
            self._renew(time.monotonic())
        self._items_left -= items
        self._bytes_left -= size
        return self._items_left >= 0 and self._bytes_left >= 0

    def _renew(self, now: float) -> None:
        if now >= self._window_ends:
            self._window_ends = now + limits.INTAKE_SECONDS
            self._items_left = limits.INTAKE_ITEMS
            self._bytes_left = limits.INTAKE_BYTES

    def welcome(self, *, limited: bool) -> None:
        """The client is known from now on."""
        self._is_known = True
        self.is_free = not limited

    def end(self) -> None:
        """The connection is being closed: what comes now is as little as a stranger may send."""
        self.is_free = self._is_known = False
        self._items_left = limits.FRAMES_BEFORE_CONNECT
        self._bytes_left = limits.BYTES_BEFORE_CONNECT
