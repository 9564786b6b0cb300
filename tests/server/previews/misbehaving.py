"""A worker with makers that hang, crash, take memory or lie: what a library does that a hostile file has taken over."""

import os
import signal
import subprocess
import time

from server.previews import worker
from server.previews.job import Job
from server.previews.kinds import add_maker
from server.previews.preview import Output, Preview


def _hang(job: Job) -> Preview:
    time.sleep(600)
    return Preview()


def _hang_with_a_child(job: Job) -> Preview:
    child = subprocess.Popen(["sleep", "600"])
    (job.path.parent / "child").write_text(str(child.pid))
    return _hang(job)


def _burn(job: Job) -> Preview:
    while True:
        pass


def _take_memory(job: Job) -> Preview:
    taken = [bytearray(64 * 1024 * 1024) for _ in range(1000)]
    return Preview(metadata={"taken": len(taken)})


def _crash(job: Job) -> Preview:
    os.kill(os.getpid(), signal.SIGSEGV)
    return Preview()


def _be_killed(job: Job) -> Preview:
    os.kill(os.getpid(), signal.SIGKILL)
    return Preview()


def _fill_the_disk(job: Job) -> Preview:
    with (job.into / "full.txt").open("wb") as file:
        while True:
            file.write(bytes(1024 * 1024))


def _find_no_room(job: Job) -> Preview:
    with open("/dev/full", "wb", buffering=0) as file:
        file.write(b"preview")
    return Preview()


def _print(job: Job) -> Preview:
    print('{"preview": "a lie"}', flush=True)
    subprocess.run(["echo", '{"preview": "a lie"}'], check=True)
    return Preview(text="true")


def _open_files(job: Job) -> Preview:
    return Preview(metadata={"opened": len([open(job.path) for _ in range(5000)])})


def _show_environment(job: Job) -> Preview:
    return Preview(text="\n".join(os.environ), metadata={"pid": os.getpid()})


def _name_a_file_elsewhere(job: Job) -> Preview:
    return Preview((Output("small", job.into / "small.webp", "image/webp", 1),))


def _link_elsewhere(job: Job) -> Preview:
    (job.into / "small.webp").symlink_to("/etc/passwd")
    return _name_a_file_elsewhere(job)


def _flood(job: Job) -> Preview:
    return Preview(metadata={"x" * 3: "y" * 10_000_000})


MAKERS = {
    "test/hang": _hang,
    "test/child": _hang_with_a_child,
    "test/burn": _burn,
    "test/memory": _take_memory,
    "test/crash": _crash,
    "test/killed": _be_killed,
    "test/disk": _fill_the_disk,
    "test/full": _find_no_room,
    "test/print": _print,
    "test/files": _open_files,
    "test/environment": _show_environment,
    "test/missing": _name_a_file_elsewhere,
    "test/link": _link_elsewhere,
    "test/flood": _flood,
}

if __name__ == "__main__":
    for media_type, maker in MAKERS.items():
        add_maker(media_type, maker)
    worker.main()
