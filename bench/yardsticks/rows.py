"""Yardstick C: Python's sqlite3 writing the rows that the server writes for each message, and no server.

In groups of 100, journal_mode=WAL, synchronous=FULL, over 100 threads. python -m bench.yardsticks.rows FOLDER SECONDS
prints messages a second.
"""

import sys
import time
from pathlib import Path

from actors.identifiers import new_id
from bench.filling import Filler

GROUP = 100
THREADS = 100


def write(folder: Path, seconds: float) -> float:
    """Message, event, head of the thread and the author's read marker: messages a second."""
    filler = Filler(folder / "yardstick.db", synchronous="FULL")
    threads = [filler.thread(f"Thread {number}") for number in range(THREADS)]
    database = filler.database
    database.commit()
    position, offset, done = filler.position, 1, 0
    started = time.perf_counter()
    while time.perf_counter() - started < seconds:
        now = time.time_ns() // 1_000_000
        messages, events, heads, markers = [], [], [], []
        for number in range(GROUP):
            position += 1
            thread = threads[number % THREADS]
            messages.append((position, new_id(), thread, filler.user, "USER", "x" * 200, "{}", offset + 1, offset, now))
            events.append((position, thread, offset + 1, "message.created", filler.user, now, position))
            heads.append((offset + 1, offset, position, position, thread))
            markers.append((offset + 1, offset, thread, filler.user))
        offset += 1
        with database:
            filler.insert(messages, events, heads, markers)
        done += GROUP
    rate = done / (time.perf_counter() - started)
    database.close()
    return rate


if __name__ == "__main__":
    print(write(Path(sys.argv[1]), float(sys.argv[2])))
