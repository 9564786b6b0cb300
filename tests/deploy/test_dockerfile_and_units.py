"""What is in deploy/ names files and settings that exist."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from cli import settings

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
SOCKET = ROOT / "deploy" / "systemd" / "experience-server.socket"
UNIT = ROOT / "deploy" / "systemd" / "experience-server.service"


def test_the_dockerfile_copies_what_there_is_and_all_that_is_installed() -> None:
    copied = {name for line in re.findall(r"^COPY (?!--)(.+) \S+$", DOCKERFILE, re.MULTILINE) for name in line.split()}
    assert all((ROOT / name).exists() for name in copied)
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]["find"]["include"]
    assert {package.rstrip("*") for package in packages} <= copied


@pytest.mark.parametrize("text", [DOCKERFILE, UNIT.read_text()], ids=["Dockerfile", "unit"])
def test_settings_are_known(text: str) -> None:
    named = set(re.findall(r"(?<=[ =])([A-Z]+(?:_[A-Z]+)*)=[/\w]", text)) - {"PATH"}
    assert named
    assert named <= {setting.name for setting in settings.SETTINGS} | {
        "PIP_DISABLE_PIP_VERSION_CHECK",
        "PIP_NO_CACHE_DIR",
    }


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    """Its command is somewhere else here than where it is to be installed."""
    if shutil.which("systemd-analyze") is None:
        assert "[Service]" in UNIT.read_text()
        return
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text().replace("/opt/experience-server/.venv/bin/xp", "/bin/true"))
    port = tmp_path / SOCKET.name
    port.write_text(SOCKET.read_text())
    command = ["systemd-analyze", "verify", str(copy), str(port)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_the_socket_is_what_the_server_takes() -> None:
    """One TCP socket, for the service of the same name."""
    assert SOCKET.stem == UNIT.stem
    assert re.findall(r"^Listen.*$", SOCKET.read_text(), re.MULTILINE) == ["ListenStream=127.0.0.1:8787"]
