"""Events about a conversation's memory, on the wire."""

from typing import Final

from actors.events import Event
from actors.resources.memory import MEMORY_UPDATED, Memory
from server.api import render
from server.api.event_views import DataView, DataViews
from server.resources.memory.views import MemoryView, memory_view


def _memory(_: Event, memory: Memory) -> render.Json:
    return memory_view(memory)


VIEWS: Final[DataViews] = {MEMORY_UPDATED: DataView(MemoryView, _memory)}
