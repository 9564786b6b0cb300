"""What holds for all tests."""

import gc
import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

from actors import limits
from tests import connections

connections.watch()
# A busy machine is no reason for a property to fail. Nor is chance: the same examples are tried in each run, so that a
# failure is of the change that is tested. `make properties` tries others.
settings.register_profile("search", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("unhurried", settings.get_profile("search"), derandomize=True)
settings.load_profile("unhurried")
any_failure = [Phase.explicit, Phase.generate]
settings.register_profile("mutants", settings.get_profile("search"), database=None, phases=any_failure)

LONGEST = (
    "end_to_end/test_schemathesis.py", "server/operations/sweep/test_matrix.py",
    "cli/serving/test_shipping_bad_days.py", "actors/text/test_folding.py", "end_to_end/test_handover.py",
    "tests/test_docs_of_files.py", "server/operations/sweep/test_garbage.py", "end_to_end/test_sdk_channels.py",
    "end_to_end/test_sdk_js.py", "end_to_end/test_sdk.py", "server/realtime/test_carriers.py",
    "server/operations/sweep/test_documented.py", "server/test_foreign_parsers.py", "tests/test_release.py",
    "end_to_end/test_kill.py", "storage/search/test_model.py",
)  # fmt: skip
"""Files that begin first, in this order: one of them that a worker began last would run while the others wait."""

MEMORY = Path("/dev/shm")
MEMORY_BYTES = 4 * 1024**3
"""So much has to be free there; a run takes a third of it at most."""


def _keep_files_in_memory() -> None:
    """Thousands of tests make a data folder and remove it: a disk takes 50 ms for each. TMPDIR names another place."""
    if "TMPDIR" not in os.environ and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > MEMORY_BYTES:
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


_keep_files_in_memory()
# A shell that starts us in the background has us ignore Ctrl-C, nohup the end of a terminal, and every process that we
# start inherits that: those that are to be interrupted would not be.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


def _no_wait_for_the_disk(descriptor: int) -> None:
    """In place of fsync: no test cuts the power, and on a busy disk each one takes 10 ms."""
    os.fstat(descriptor)


os.fsync = os.fdatasync = _no_wait_for_the_disk  # type: ignore[assignment]


@pytest.fixture(params=[limits.CROWD, 0], ids=["few", "crowd"])
def few_and_crowd(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once as it is, once as if one who listens were a crowd: in which order turns are taken then is another."""
    monkeypatch.setattr(limits, "CROWD", request.param)


# Python looks for cycles after each 700 new objects, and each time it looks at old ones, at all modules and tests.
gc.set_threshold(20_000, 10, 10)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: a fifth of the time a worker waits for another process, or for a timer."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_finish() -> None:
    """What is there now stays until the end: the collector need not look at it again."""
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _turn(item.path.as_posix()))


def _turn(path: str) -> int:
    return next((turn for turn, name in enumerate(LONGEST) if path.endswith(name)), len(LONGEST))
