"""Files in a ledger, in short."""

import hashlib
from typing import Any

from actors.auth.identity import Identity
from actors.identifiers import new_id
from actors.resources.files.commands import CreateFile
from actors.resources.files.file import File, FileFilter
from actors.resources.files.queries import GetFile, ListFiles
from actors.resources.files.uploads import BeginUpload, CompleteUpload, Upload
from actors.resources.threads import Thread
from storage.readers.answers import answer
from tests.builders import FAR_FUTURE, Ledger


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Shelf:
    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def record(self, who: Identity, thread: Thread | None = None, name: str = "notes.txt", **more: Any) -> File:
        made = self.ledger.do(
            CreateFile(
                identity=who, file_id=new_id(), name=name, thread_id=thread.id if thread else None, **more
            )
        ).result  # fmt: skip
        assert isinstance(made, File)
        return made

    def begin(
        self, who: Identity, thread: Thread | None = None, *, name: str | None = "notes.txt", **more: Any
    ) -> Upload:
        made = self.ledger.do(
            BeginUpload(
                identity=who, upload_id=new_id(), new_file_id=new_id(), name=name,
                thread_id=thread.id if thread else None,
                **{"kind": "resumable", "expires_at": FAR_FUTURE * 1000, **more},
            )
        ).result  # fmt: skip
        assert isinstance(made, Upload)
        return made

    def completion(self, who: Identity, upload: Upload, content: bytes = b"hello", **more: Any) -> CompleteUpload:
        given: dict[str, Any] = {
            "media_type": "text/plain", "trusted": True, "charset": "utf-8", "scan": "skipped", "preview": "none",
        }  # fmt: skip
        return CompleteUpload(
            identity=who, upload_id=upload.id, digest=digest(content), size=len(content), **{**given, **more}
        )

    def add(self, who: Identity, thread: Thread | None = None, content: bytes = b"hello", **more: Any) -> File:
        """A file with its bytes."""
        known = {name: more.pop(name) for name in ("name", "file_id", "metadata") if name in more}
        upload = self.begin(who, thread, **({"name": None} if "file_id" in known else {}), **known)
        done = self.ledger.do(self.completion(who, upload, content, **more)).result
        assert isinstance(done, File)
        return done

    def get(self, who: Identity, file: File | str) -> File:
        file_id = file if isinstance(file, str) else file.id
        return self.ledger.ask(answer, GetFile(who, file_id))

    def list(self, who: Identity, *, everything: bool = False, limit: int = 30, **wanted: Any) -> list[str]:
        query = ListFiles(who, FileFilter(**wanted), limit=limit, before=None, everything=everything)
        return [file.name for file in self.ledger.ask(answer, query).items]

    def references(self) -> dict[str, int]:
        return dict(self.ledger.sql('SELECT digest, "references" FROM blob'))

    def used(self, scope: str) -> int:
        return int(self.ledger.one("SELECT sum(size) FROM storage_use WHERE scope = ?", scope) or 0)
