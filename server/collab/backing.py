"""What rooms work with, of the services that hold them."""

from typing import Protocol, TypeVar

from actors.commands import Makes
from actors.outcomes import Done
from actors.queries import Query
from actors.runtime.loop_actor import Stage
from actors.threads.directory import Directory

T = TypeVar("T")


class Backing(Protocol):
    directory: Directory

    @property
    def stage(self) -> Stage: ...

    async def ask(self, query: Query[T]) -> T: ...

    async def write(self, command: Makes[T]) -> Done[T]: ...
