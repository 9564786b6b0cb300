"""A document that is in memory: its actor, who is connected, and the versions that are cut."""

import asyncio
import logging
from typing import Any

import orjson

from actors import limits
from actors.auth.identity import Identity
from actors.documents.actor import AccessSeen, GetState, Join, Leave, Revise
from actors.documents.ports import Editor
from actors.errors import Forbidden, Malformed, NotFound, PreconditionFailed, TooLarge, ValidationFailed, XpError
from actors.resources.artifacts import contents
from actors.resources.artifacts.artifact import Artifact
from actors.resources.artifacts.commands import CutVersion, ReviseArtifact
from actors.resources.documents import EditedArtifact, GetDocumentAccess, GetEdited, NoteCut
from actors.runtime.periodic import Periodic
from actors.runtime.reference import Ref
from server.collab.backing import Backing

logger = logging.getLogger("server.collab")


class Room:
    def __init__(self, services: Backing, edited: EditedArtifact, actor: Ref) -> None:
        self._services = services
        self._artifact = edited.artifact
        self.actor = self._actor = actor
        self._base = orjson.loads(edited.base) if edited.base is not None else None
        """Content of the version that the document was last the same as; None where that is not known."""
        self._version = edited.document.version if edited.document is not None else edited.artifact.version
        self._cut_at = 0 if edited.document is None or not edited.document.edits else -1
        """How many edits the newest version has; -1: it may lack some from before."""
        self._editors: set[Editor] = set()
        self._reader: Identity | None = None
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._watching = Periodic(
            self._look, every_seconds=limits.DOCUMENT_LOOK_SECONDS, logger=logger,
            name=f"watching artifact {self._artifact.id}",
        )  # fmt: skip

    @property
    def editors(self) -> int:
        return len(self._editors)

    async def enter(self, editor: Editor) -> None:
        """Raises `Conflict` where there are too many."""
        try:
            await self._actor.ask(Join(editor))
        except BaseException:
            self._actor.tell(Leave(editor))  # also where its connection was lost meanwhile
            raise
        self._editors.add(editor)
        self._reader = editor.identity

    def leave(self, editor: Editor) -> None:
        self._editors.discard(editor)
        if self._editors:
            self._reader = next(iter(self._editors)).identity
        self._actor.tell(Leave(editor))

    def start(self) -> None:
        self._watching.start()

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # Who may edit, and what was changed elsewhere

    async def _look(self) -> None:
        users = frozenset(editor.identity.user.key for editor in self._editors)
        access = await self._services.ask(GetDocumentAccess(self._artifact.id, tuple(users)))
        self._actor.tell(AccessSeen(access, users))
        if access.version not in (None, self._version):
            async with self._turn:
                await self._follow()

    async def _follow(self) -> None:
        """The artifact has another version than the document: what changed is changed in the document, too."""
        if self._reader is None:
            return
        edited = await self._services.ask(GetEdited(self._reader, self._artifact.id))
        version, newest = edited.artifact.version, edited.artifact.newest
        if version == self._version or newest is None:
            return
        content = orjson.loads(newest.content or "")
        await self._actor.ask(Revise(self._base, content, version))
        self._base, self._version = content, version

    # Versions

    def rest(self) -> None:
        """Editing rests."""
        self._spawn(self._cut())

    async def _cut(self) -> None:
        try:
            await self.cut()
        except XpError as error:
            logger.warning("no version of artifact %s was cut: %s", self._artifact.id, error.detail)
        except Exception:
            logger.exception("no version of artifact %s was cut", self._artifact.id)

    async def cut(self) -> None:
        """A version with what was edited since the one before; where its content is not valid, a note why."""
        async with self._turn:
            for _ in range(limits.DOCUMENT_CUT_TRIES):
                try:
                    await self._cut_once()
                except PreconditionFailed:
                    await self._follow()
                    continue
                except (ValidationFailed, TooLarge, Malformed) as error:
                    await self._note(orjson.dumps(_faults(error)).decode())
                return

    async def _cut_once(self) -> None:
        state = await self._actor.ask(GetState())
        if state.edits == self._cut_at:
            return
        authors = self._authors()
        if state.content != self._base and (state.editor is not None or authors):
            packed = await asyncio.to_thread(contents.packed, self._artifact.type, state.content)
            if state.editor is not None:
                revised = (await self._services.write(CutVersion(**self._revision(state.editor, packed)))).result
            else:
                revised = await self._revised(authors, packed)
            self._base, self._version = state.content, revised.version
        self._cut_at = state.edits
        await self._note("[]")

    def _authors(self) -> list[Identity]:
        """In whose name a version may be cut of edits from before: nothing says whose they are."""
        there = [editor.identity for editor in self._editors if editor.may_write]
        return [*there, self._reader] if self._reader is not None else there

    def _revision(self, author: Identity, packed: contents.Packed) -> dict[str, Any]:
        return {
            "identity": author, "thread_id": self._artifact.thread_id, "artifact_id": self._artifact.id,
            "change": "patched", "content": packed, "if_version": self._version,
        }  # fmt: skip

    async def _revised(self, authors: list[Identity], packed: contents.Packed) -> Artifact:
        """By the first who may."""
        author, *others = authors
        try:
            return (await self._services.directory.ask(ReviseArtifact(**self._revision(author, packed)))).result
        except (Forbidden, NotFound):
            if not others:
                raise
        return await self._revised(others, packed)

    async def _note(self, faults: str) -> None:
        await self._services.write(NoteCut(artifact_id=self._artifact.id, version=self._version, faults=faults))

    async def close(self) -> None:
        """Nobody is connected: the last version is cut, and the document leaves memory."""
        await self._cut()
        await self._watching.stop()
        for task in list(self._tasks):
            if task is not asyncio.current_task():
                task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._actor.stop(block=False)


def _faults(error: XpError) -> list[dict[str, str]]:
    """As the document's resource shows them."""
    faults = error.field_errors
    if not faults:
        return [{"field": "content", "message": error.detail}]
    return [{"field": field, "message": sentence} for field, sentences in faults.items() for sentence in sentences]
