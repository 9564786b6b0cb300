"""An ephemeral event: delivered to the current subscribers, never logged."""

from collections.abc import Callable
from dataclasses import dataclass

from actors.events import EphemeralKind


@dataclass(slots=True)
class Ephemeral:
    thread_id: str
    kind: EphemeralKind
    data: object
    """Of the type `kind.data`."""


Publish = Callable[[list[Ephemeral]], None]
"""To all who are subscribed now."""
