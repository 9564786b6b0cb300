"""The port of a tracer, for writes. The core knows no spans: `server/telemetry/tracing/` implements this.

Without a tracer (`Stage.tracer` is None) nothing is done but that check.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from actors.outcomes import Done
from actors.runtime.future import LoopFuture

Reply = LoopFuture[Any]


class Tracer(Protocol):
    """`Reply.trace` is its own: the core hands it on, and looks at nothing of it."""

    def asked(self, reply: Reply) -> None:
        """The request that is being served has sent a command; on the event loop."""
        ...

    def appended(self, reply: Reply) -> None:
        """The command waits for the journal from now on; on the event loop."""
        ...

    def committed(self, replies: Sequence[Reply], taken: int, ended: int) -> None:
        """Commands of one transaction, and when it began and ended (ns since 1970); on the journal's OS thread."""
        ...

    def publishing(self, committed: Sequence[tuple[Reply, Done[Any] | Exception]]) -> AbstractContextManager[None]:
        """Around the publication of what one transaction has made; on the event loop."""
        ...
