"""Schemathesis against a real server: what the OpenAPI document promises holds for whatever may be sent.

All of its checks are on, and all of its phases for an administrator; tests/end_to_end/fuzzing says what it has to know,
and where it errs.
"""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.examples import examples
from tests.serving import ServerProcess

ROOT = Path(__file__).parent.parent.parent
CONFIG = ROOT / "tests" / "end_to_end" / "fuzzing" / "schemathesis.toml"
EXAMPLES = 3
"""Made up for each operation and phase, beside some thousand that follow from the document. More find more, by hand."""
WITHOUT_COVERAGE = ("--phases", "examples,fuzzing,stateful")
"""The coverage phase sends the same for everyone: what is wrong in each field, one after the other."""


async def fuzz(who: str, data_dir: Path, count: int, *options: str) -> tuple[int, str]:
    """The exit code, and what was found."""
    server = ServerProcess(data_dir, LOG_LEVEL="warning")  # what was sent and answered, the fuzzer tells
    await server.start()
    try:
        fuzzer = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "--no-color",
            "run", f"{server.url}/openapi.json", "--max-examples", str(count),
            "--suppress-health-check", "too_slow", *options,  # which tells of a busy machine
            env={**os.environ, "FUZZED_URL": server.url, "FUZZED_AS": who, "PYTHONPATH": str(ROOT)},
            cwd=data_dir.parent, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        output, _ = await fuzzer.communicate()
    finally:
        assert await server.stop() == 0
    log = server.log.read_text()
    assert '"level":"error"' not in log, log
    assert fuzzer.returncode is not None
    return fuzzer.returncode, output.decode()


@pytest.mark.hypothesis
@pytest.mark.timeout(1200)
async def test_whatever_is_sent_is_answered_as_documented(tmp_path: Path) -> None:
    """By an administrator and by another user, at the same time, on servers of their own. What is made up for the other
    one finds what only they are refused: fewer do in each run."""
    found = await asyncio.gather(
        fuzz("root:ADMIN", tmp_path / "admin", EXAMPLES),
        fuzz("ann:USER", tmp_path / "user", examples(EXAMPLES), *WITHOUT_COVERAGE),
    )
    for exit_code, output in found:
        assert exit_code == 0, output
        assert "Stateful" in output
