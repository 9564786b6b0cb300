"""An ephemeral event: delivered to the current subscribers, never logged."""

from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Ephemeral:
    thread_id: str
    type: str
    data: dict[str, Any]
    """As clients get it."""
