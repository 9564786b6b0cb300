"""Fills a database of the server's own schema with many messages, faster than any client could.

python -m bench.filling FOLDER COUNT makes FOLDER/experience.db with two threads of COUNT messages and one of 100, and
prints what it made as JSON.
"""

import json
import sqlite3
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from actors.identifiers import new_id
from storage.database import DatabaseOptions, open_writer
from storage.schema.migrating import migrate

CHUNK = 20_000
SMALL = 100
CONTENT = "A message of some length, as people write them in threads: neither long nor short. " * 3

MESSAGES = (
    'INSERT INTO message (id, uid, thread_id, author_id, type, content, metadata, "offset", number, created_at,'
    " status, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'COMPLETE', 1)"
)
EVENTS = 'INSERT INTO event (position, thread_id, "offset", type, actor_id, time, ref) VALUES (?, ?, ?, ?, ?, ?, ?)'
HEADS = 'UPDATE thread SET "offset" = ?, message_count = ?, position = ?, last_message = ? WHERE id = ?'
MARKERS = "UPDATE member SET last_read_offset = ?, last_read_number = ? WHERE thread_id = ? AND user_id = ?"


class Filler:
    """A database with the schema of the server and one user, to whom all threads belong."""

    def __init__(self, path: Path, *, synchronous: str, subject: str = "bench") -> None:
        options = DatabaseOptions(path)
        writer = open_writer(options)
        migrate(writer, path)
        writer.close()
        self.database = sqlite3.connect(path)
        self.database.execute(f"PRAGMA synchronous = {synchronous}")
        self.database.execute("PRAGMA wal_autocheckpoint = 4000")
        (self.position,) = self.database.execute("SELECT position FROM log_head").fetchone()
        self._now = time.time_ns() // 1_000_000
        self.user = self._user(subject)

    def _user(self, subject: str) -> int:
        row = self.database.execute("SELECT id FROM user WHERE subject = ?", (subject,)).fetchone()
        if row:
            return int(row[0])
        cursor = self.database.execute(
            "INSERT INTO user (uid, subject, email, name, role, kind, domain, claims, status, metadata, version,"
            " created_at, updated_at) VALUES (?, ?, ?, 'Bench', 'USER', 'HUMAN', 'rpotential.ai', '{}', 'ACTIVE',"
            " '{}', 1, ?, ?)",
            (new_id(), subject, f"{subject}@rpotential.ai", self._now, self._now),
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def thread(self, title: str) -> int:
        """A new thread with its first log entry; answers its key."""
        self.position += 1
        cursor = self.database.execute(
            'INSERT INTO thread (uid, title, creator_id, status, metadata, memory, message_count, "offset", position,'
            " version, created_at, updated_at) VALUES (?, ?, ?, 'ACTIVE', '{}', '{}', 0, 1, ?, 1, ?, ?)",
            (new_id(), title, self.user, self.position, self._now, self._now),
        )
        key = cursor.lastrowid
        assert key is not None
        self.database.execute(
            "INSERT INTO member (thread_id, user_id, role, last_read_offset, last_read_number, muted, version,"
            " joined_at) VALUES (?, ?, 'OWNER', 0, 0, 0, 1, ?)",
            (key, self.user, self._now),
        )
        self.database.execute(EVENTS, (self.position, key, 1, "thread.created", self.user, self._now, None))
        return key

    def insert(
        self,
        messages: Sequence[Sequence[Any]],
        events: Sequence[Sequence[Any]],
        heads: Sequence[Sequence[Any]],
        markers: Sequence[Sequence[Any]],
    ) -> None:
        execute = self.database.executemany
        execute(HEADS, heads)
        execute(MARKERS, markers)
        execute(MESSAGES, messages)
        execute(EVENTS, events)

    def fill(self, thread: int, count: int, content: str) -> None:
        """`count` messages into a thread that has none yet."""
        for start in range(0, count, CHUNK):
            numbers = range(start + 1, min(start + CHUNK, count) + 1)
            first = self.position + 1
            messages = [
                (first + i, new_id(), thread, self.user, "USER", content, "{}", number + 1, number, self._now)
                for i, number in enumerate(numbers)
            ]
            events = [(m[0], thread, m[7], "message.created", self.user, self._now, m[0]) for m in messages]
            self.position += len(messages)
            last = messages[-1]
            with self.database:
                self.insert(messages, events, [(last[7], last[8], last[0], last[0], thread)], [])

    def uid(self, thread: int) -> str:
        return str(self.database.execute("SELECT uid FROM thread WHERE id = ?", (thread,)).fetchone()[0])

    def close(self) -> None:
        with self.database:
            self.database.execute("UPDATE log_head SET position = ?", (self.position,))
        self.database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.database.close()


def main() -> None:
    folder, count = Path(sys.argv[1]), int(sys.argv[2])
    folder.mkdir(parents=True)
    path = folder / "experience.db"
    filler = Filler(path, synchronous="OFF")  # a copy of nothing: whoever loses it fills it again
    other, large, small = filler.thread("Other"), filler.thread("Large"), filler.thread("Small")
    for thread, messages in ((other, count), (large, count), (small, SMALL)):
        filler.fill(thread, messages, CONTENT)
    found = {"large": filler.uid(large), "small": filler.uid(small)}
    filler.close()
    print(json.dumps({**found, "bytes": path.stat().st_size}))


if __name__ == "__main__":
    main()
