"""Artifacts in a ledger, in short."""

from typing import Any

import orjson

from actors.auth.identity import Identity
from actors.identifiers import new_id
from actors.resources.artifact_streams import AppendToArtifact, ArtifactStream, OpenArtifactStream
from actors.resources.artifacts import contents
from actors.resources.artifacts.artifact import Artifact
from actors.resources.artifacts.commands import CreateArtifact, DeleteArtifact, RestoreArtifact, ReviseArtifact
from actors.resources.artifacts.data_sets import AppendData, ReplaceData
from actors.resources.artifacts.queries import (
    ArtifactFilter,
    GetArtifact,
    GetArtifactVersion,
    ListArtifacts,
    ListArtifactVersions,
)
from actors.resources.comments.comment import AddComment, Comment
from actors.resources.proposals.hunks import hunks
from actors.resources.proposals.proposal import Proposal, Propose, encoded
from actors.resources.threads import Thread
from storage.readers.answers import answer
from tests.builders import Ledger


class Desk:
    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def create(self, who: Identity, thread: Thread, content: Any = "Some text.", **more: Any) -> Artifact:
        given = {"type": "REPORT", "title": "A report", "artifact_id": new_id(), **more}
        packed = contents.packed("REPORT", content)
        made = self.ledger.do(CreateArtifact(identity=who, thread_id=thread.id, content=packed, **given)).result
        assert isinstance(made, Artifact)
        return made

    def revise(self, who: Identity, artifact: Artifact, content: Any = None, **more: Any) -> Artifact:
        given: dict[str, Any] = {"change": "patched", **more}
        if content is not None:
            given["content"] = contents.packed("REPORT", content)
        made = self.ledger.do(
            ReviseArtifact(identity=who, thread_id=artifact.thread_id, artifact_id=artifact.id, **given)
        ).result
        assert isinstance(made, Artifact)
        return made

    def restore(self, who: Identity, artifact: Artifact, number: int, **more: Any) -> Artifact:
        _, version = self.ledger.ask(answer, GetArtifactVersion(who, artifact.id, number))
        command = RestoreArtifact(
            identity=who, thread_id=artifact.thread_id, artifact_id=artifact.id, number=number,
            words=contents.words(orjson.loads(version.content or "")), **more,
        )  # fmt: skip
        made = self.ledger.do(command).result
        assert isinstance(made, Artifact)
        return made

    def delete(self, who: Identity, artifact: Artifact, **more: Any) -> None:
        self.ledger.do(
            DeleteArtifact(identity=who, thread_id=artifact.thread_id, artifact_id=artifact.id, **more)
        )  # fmt: skip

    def measure(self, who: Identity, artifact: Artifact, rows: list[list[str]], name: str = "sales") -> None:
        """A data set of one column; rows but for the first ones are appended, one list at a time."""
        about: Any = {"identity": who, "thread_id": artifact.thread_id, "artifact_id": artifact.id, "name": name}
        self.ledger.do(ReplaceData(**about, columns=("n",), rows=tuple(rows[0])))
        for more in rows[1:]:
            self.ledger.do(AppendData(**about, rows=tuple(more), width=1))

    def propose(self, who: Identity, artifact: Artifact, text: str = "Other text.", **more: Any) -> Proposal:
        """That the newest version, a text, becomes another one."""
        found = hunks(self.content(who, artifact), text)
        patch = orjson.dumps([{"op": "replace", "path": "", "value": text}]).decode()
        made = self.ledger.do(Propose(
            identity=who, thread_id=artifact.thread_id, artifact_id=artifact.id, proposal_id=new_id(),
            base=artifact.version, patch=patch, hunks=encoded(found), count=len(found), **more,
        )).result  # fmt: skip
        assert isinstance(made, Proposal)
        return made

    def comment(self, who: Identity, artifact: Artifact, content: str = "Really?", **more: Any) -> Comment:
        made = self.ledger.do(AddComment(
            identity=who, thread_id=artifact.thread_id, artifact_id=artifact.id, comment_id=new_id(),
            content=content, base=artifact.version, **more,
        )).result  # fmt: skip
        assert isinstance(made, Comment)
        return made

    def stream(self, who: Identity, artifact: Artifact, *pieces: str) -> ArtifactStream:
        """Open, after the whole text."""
        about: Any = {
            "identity": who,
            "thread_id": artifact.thread_id,
            "artifact_id": artifact.id,
            "stream_id": new_id(),
        }
        made = self.ledger.do(OpenArtifactStream(**about, pointer="", base=artifact.version)).result
        assert isinstance(made, ArtifactStream)
        for piece in pieces:
            self.ledger.do(AppendToArtifact(**about, text=piece))
        return made

    def content(self, who: Identity, artifact: Artifact, number: int | None = None) -> Any:
        if number is None:
            newest = self.ledger.ask(answer, GetArtifact(who, artifact.id)).newest
            assert newest is not None
            return orjson.loads(newest.content or "")
        _, version = self.ledger.ask(answer, GetArtifactVersion(who, artifact.id, number))
        return orjson.loads(version.content or "")

    def titles(self, who: Identity, **wanted: Any) -> list[str]:
        query = ListArtifacts(who, ArtifactFilter(**wanted), limit=30, before=None)
        return [one.newest.title for one in self.ledger.ask(answer, query).items if one.newest]

    def numbers(self, who: Identity, artifact: Artifact) -> list[int]:
        query = ListArtifactVersions(who, artifact.id, limit=100, before=None)
        return [version.number for version in self.ledger.ask(answer, query).items]

    def bodies(self) -> list[int]:
        """How often each is referred to."""
        return sorted(count for (count,) in self.ledger.sql('SELECT "references" FROM artifact_body'))

    def used(self, scope: str) -> int:
        return int(self.ledger.one("SELECT sum(size) FROM storage_use WHERE scope = ?", scope) or 0)
