"""What is made of a file follows its removal, whichever way it goes: versions, previews, text, room, references."""

import contextlib
import random
from collections.abc import Callable
from typing import Any

import pytest

from actors.auth.identity import Identity
from actors.commands import Purge
from actors.errors import XpError
from actors.resources.files.commands import DeleteFile, MoveFile, RestoreVersion
from actors.resources.files.file import File, FilePreview
from actors.resources.files.processing import RecordPreview, RecordScan
from actors.resources.files.retention import PruneFiles, Retention
from actors.resources.files.uploads import AbandonUpload, ExpireUploads
from actors.resources.messages import DeleteMessage, EditMessage
from actors.resources.threads import DeleteThread
from actors.resources.users import DeleteUser, EraseContent
from storage.resources.files.retention import page as prunable
from tests.builders import Ledger
from tests.storage.resources.files.shelf import Shelf, digest
from tests.storage.test_integrity import findings

FAR = 2**45


class World:
    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.shelf = Shelf(ledger)
        self.root, self.ana, self.bo = ledger.admin("root"), ledger.user("ana"), ledger.user("bo")
        self.thread = ledger.thread(self.ana, self.bo)

    def full(self, content: bytes = b"first") -> File:
        """A file with two versions, previews of both, text, and an upload on its way."""
        file = self.shelf.add(self.ana, self.thread, content, preview="due")
        self.show(file, 1)
        file = self.shelf.add(self.ana, file_id=file.id, content=content * 2, preview="due")
        self.show(file, 2)
        self.shelf.begin(self.ana, name=None, file_id=file.id, length=1_000)
        return file

    def show(self, file: File, number: int) -> None:
        made = tuple(FilePreview(name, "image/webp", digest(name.encode()), len(name), 1, 1) for name in ("a", "bb"))
        self.ledger.do(RecordPreview(file.id, number, "done", made, text="wonderfully searchable"))

    def purge(self) -> None:
        self.ledger.sql("UPDATE thread SET deleted_at = 1 WHERE deleted_at IS NOT NULL")
        while self.ledger.do(Purge()).result:
            pass

    def erase(self) -> None:
        while self.ledger.do(EraseContent()).result:
            pass

    def left(self) -> dict[str, int]:
        """Rows of what is derived, and counters that are not 0."""
        tables = ("file_version", "file_preview", "file_text", "message_file", "upload")
        found = {table: self.ledger.one(f"SELECT count(*) FROM {table}") for table in tables}
        found["references"] = self.ledger.one('SELECT coalesce(sum("references"), 0) FROM blob')
        found["room"] = self.ledger.one("SELECT count(*) FROM storage_use WHERE size <> 0")
        found["due"] = self.ledger.one("SELECT count(*) FROM blob WHERE unreferenced_at IS NULL")
        return {name: count for name, count in found.items() if count}


@pytest.fixture
def world(ledger: Ledger) -> World:
    return World(ledger)


def delete_file(world: World, file: File, message: Any) -> None:
    world.ledger.do(DeleteFile(identity=world.ana, file_id=file.id))


def delete_message(world: World, file: File, message: Any) -> None:
    world.ledger.do(DeleteMessage(identity=world.ana, thread_id=world.thread.id, message_id=message.id))


def delete_thread(world: World, file: File, message: Any) -> None:
    world.ledger.do(DeleteThread(identity=world.ana, thread_id=world.thread.id))
    world.purge()


def delete_user(world: World, file: File, message: Any) -> None:
    world.ledger.do(DeleteUser(identity=world.root, user_id=world.ana.user.id, content="remove"))
    world.erase()


WAYS: tuple[Callable[[World, File, Any], None], ...] = (delete_file, delete_message, delete_thread, delete_user)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_nothing_is_left_of_a_file(way: Callable[[World, File, Any], None], world: World) -> None:
    file = world.full()
    message = world.ledger.post(world.ana, world.thread, "look", file_ids=(file.id,))
    assert world.shelf.list(world.ana, text="searchable") == ["notes.txt"]
    assert {"file_preview", "file_text", "upload", "references", "room"} <= world.left().keys()
    way(world, file, message)
    assert world.left() == {}
    assert findings(world.ledger.path) == {}
    assert world.shelf.list(world.root, everything=True) == []


def test_an_upload_that_is_given_up_after_its_thread_gives_its_room_back(world: World) -> None:
    upload = world.shelf.begin(world.ana, world.thread, length=1_000)
    world.ledger.do(DeleteThread(identity=world.ana, thread_id=world.thread.id))
    world.ledger.do(AbandonUpload(identity=world.ana, upload_id=upload.id))
    assert findings(world.ledger.path) == {}
    world.purge()
    assert world.left() == {}


class Lives:
    """Of files in two threads and outside, by chance; what is refused is also a deed."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.ledger, self.shelf = world, world.ledger, world.shelf
        self.chance = random.Random(seed)
        self.threads = [world.thread, world.ledger.thread(world.bo, world.ana)]
        self.files = [self.shelf.add(world.ana, world.thread)]
        self.messages = [world.ledger.post(world.ana, world.thread)]

    @property
    def file(self) -> str:
        return self.chance.choice(self.files).id

    @property
    def who(self) -> Identity:
        return self.chance.choice((self.world.ana, self.world.bo))

    @property
    def message(self) -> dict[str, Any]:
        message = self.chance.choice(self.messages)
        return {"identity": self.who, "thread_id": message.thread_id, "message_id": message.id}

    def live(self, deeds: int) -> None:
        for _ in range(deeds):
            with contextlib.suppress(XpError):
                self.chance.choice((self.add, self.post, self.change, self.change, self.process, self.prune))()

    def add(self) -> None:
        place = self.chance.choice([*self.threads, None])
        content = bytes([self.chance.randrange(5)]) * 7
        self.files.append(self.shelf.add(self.who, place, content, preview="due"))

    def post(self) -> None:
        thread = self.chance.choice(self.threads)
        self.messages.append(self.ledger.post(self.who, thread, "x", file_ids=(self.file,)))

    def change(self) -> None:
        thread_id = self.chance.choice([*(thread.id for thread in self.threads), None])
        commands = (
            EditMessage(**self.message, content="y", file_ids=(self.file,)),
            DeleteMessage(**self.message),
            RestoreVersion(identity=self.who, file_id=self.file, number=1),
            MoveFile(identity=self.who, file_id=self.file, thread_id=thread_id),
            DeleteFile(identity=self.who, file_id=self.file),
        )
        self.ledger.do(self.chance.choice(commands))

    def process(self) -> None:
        self.chance.choice((self.upload, self.preview, self.scan))()

    def upload(self) -> None:
        self.shelf.begin(self.who, name=None, file_id=self.file, length=self.chance.randrange(100))
        self.shelf.add(self.who, file_id=self.file, content=b"again" * self.chance.randrange(1, 4))

    def preview(self) -> None:
        self.world.show(self.chance.choice(self.files), self.chance.randrange(1, 3))

    def scan(self) -> None:
        self.ledger.do(RecordScan(self.file, 1, self.chance.choice(("clean", "found"))))

    def prune(self) -> None:
        rules = Retention(versions=1, unused_days=1)
        self.ledger.do(PruneFiles(rules, self.ledger.ask(prunable, rules, FAR).found))


@pytest.mark.parametrize("seed", range(5))
def test_whatever_happens_everything_goes_in_the_end(seed: int, world: World) -> None:
    ledger, lives = world.ledger, Lives(world, seed)
    lives.live(80)
    assert findings(ledger.path) == {}
    ledger.do(DeleteThread(identity=world.root, thread_id=lives.threads[0].id))
    for user in (world.ana, world.bo):
        ledger.do(DeleteUser(identity=world.root, user_id=user.user.id, content="remove"))
    world.erase()
    assert findings(ledger.path) == {}
    ledger.do(DeleteThread(identity=world.root, thread_id=lives.threads[1].id))
    world.purge()
    assert findings(ledger.path) == {}
    ledger.do(ExpireUploads())
    assert world.left() == {}
