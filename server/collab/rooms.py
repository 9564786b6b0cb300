"""The documents that are in memory: loaded when the first editor enters, gone when the last one has left."""

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

import orjson

from actors import limits
from actors.documents.actor import DocumentActor
from actors.documents.ports import Editor
from actors.errors import Unavailable
from actors.resources.documents import EditedArtifact, GetEdited, StartDocument
from server.collab.backing import Backing
from server.collab.room import Room

if TYPE_CHECKING:
    from server.collab.replica import YReplica

logger = logging.getLogger("server.collab")
_MISSING = "Co-editing needs the extra `collab` on the server: `pip install 'experience-server[collab]'`."


class Rooms:
    def __init__(self, services: Backing) -> None:
        self._services = services
        self.rest_seconds = limits.DOCUMENT_VERSION_SECONDS
        self._rooms: dict[str, Room] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def size(self) -> int:
        return len(self._rooms)

    def editors(self, artifact_id: str) -> int:
        room = self._rooms.get(artifact_id)
        return room.editors if room is not None else 0

    async def enter(self, artifact_id: str, editor: Editor) -> Room:
        """Raises `NotFound` for an artifact that the editor may not see, and `Conflict` where there are too many."""
        async with self._lock(artifact_id):
            edited = await self._services.ask(GetEdited(editor.identity, artifact_id))
            editor.may_write = editor.is_writer and edited.may_write
            room = self._rooms.get(artifact_id)
            if room is None:
                room = self._rooms[artifact_id] = await self._open(artifact_id, editor, edited)
            try:
                await room.enter(editor)
            except BaseException:
                self._empty(artifact_id)
                raise
            return room

    def _lock(self, artifact_id: str) -> asyncio.Lock:
        lock = self._locks.get(artifact_id)
        if lock is None:
            lock = self._locks[artifact_id] = asyncio.Lock()
        return lock

    async def _open(self, artifact_id: str, editor: Editor, edited: EditedArtifact) -> Room:
        replica = replica_class()
        if edited.document is None:
            edited = await self._begun(artifact_id, editor, edited)
        document = edited.document
        assert document is not None
        actor = DocumentActor(
            artifact_id,
            replica.stored(document.state, document.edits),
            document.newest,
            append=self._services.directory.journal.append,
            merge=replica.merged,
            on_rest=partial(self._rest, artifact_id),
            on_empty=partial(self._empty, artifact_id),
            rest_seconds=self.rest_seconds,
        )
        room = Room(self._services, edited, self._services.stage.start(actor))
        room.start()
        return room

    def _rest(self, artifact_id: str) -> None:
        if (room := self._rooms.get(artifact_id)) is not None:
            room.rest()

    async def _begun(self, artifact_id: str, editor: Editor, edited: EditedArtifact) -> EditedArtifact:
        """Its first state is the newest version."""
        assert edited.artifact.newest is not None
        state = replica_class().of(orjson.loads(edited.artifact.newest.content or "")).whole()
        start = StartDocument(artifact_id=artifact_id, state=state, version=edited.artifact.version)
        await self._services.write(start)
        return await self._services.ask(GetEdited(editor.identity, artifact_id))

    def _empty(self, artifact_id: str) -> None:
        task = asyncio.get_running_loop().create_task(self._close(artifact_id))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _close(self, artifact_id: str) -> None:
        async with self._lock(artifact_id):
            room = self._rooms.get(artifact_id)
            if room is not None and not room.editors:
                del self._rooms[artifact_id]
                await room.close()

    async def stop(self) -> None:
        """After the editors have been disconnected: their last versions are cut."""
        for artifact_id in list(self._rooms):
            self._empty(artifact_id)
        await asyncio.gather(*self._closing, return_exceptions=True)


def replica_class() -> "type[YReplica]":
    """Raises `Unavailable` without the extra `collab`."""
    try:
        from server.collab.replica import YReplica
    except ModuleNotFoundError as missing:
        raise Unavailable(_MISSING, code="collab_missing") from missing
    return YReplica
