"""A release: the wheel has all that a server needs, always the same bytes; tag, version and changelog agree."""

import hashlib
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from docs.release_notes import notes

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("actors", "bench", "cli", "loadtest", "server", "storage")
NOT_SHIPPED = {"bench/README.md", "server/realtime/protobuf/client.proto"}
"""Read by people, and by `make protobuf`."""
BUILD = "import sys, setuptools.build_meta as build; build.build_wheel(sys.argv[1])"


def build(work: Path) -> Path:
    """The wheel of the packages as they are, without what only this machine has."""
    source, out = work / "source", work / "out"
    out.mkdir(parents=True)
    for name in PACKAGES:
        left_out = shutil.ignore_patterns("__pycache__", "results")
        shutil.copytree(ROOT / name, source / name, ignore=left_out)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    environment = {"SOURCE_DATE_EPOCH": "1800000000", "PATH": "/usr/bin:/bin"}
    subprocess.run(
        [sys.executable, "-c", BUILD, str(out)], cwd=source, env=environment, check=True, capture_output=True
    )
    (wheel,) = out.iterdir()
    return wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("first"))


def test_the_wheel_has_the_same_bytes_each_time(wheel: Path, tmp_path: Path) -> None:
    again = build(tmp_path)
    assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(wheel.read_bytes()).digest()


def test_the_wheel_has_every_file(wheel: Path) -> None:
    files = {
        str(path.relative_to(ROOT))
        for name in PACKAGES
        for path in (ROOT / name).rglob("*")
        if path.is_file() and not {"__pycache__", "results"} & set(path.parts)
    }
    with zipfile.ZipFile(wheel) as archive:
        assert files - set(archive.namelist()) == NOT_SHIPPED


def test_the_wheel_runs_by_itself(wheel: Path, tmp_path: Path) -> None:
    """Away from the checkout: with migrations, block profiles and all else that it reads."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    command = "import cli, sys; from cli.main import main; print(cli.__file__); sys.exit(main())"
    installed, data_dir = tmp_path / "installed", tmp_path / "data"
    environment = {"PYTHONPATH": str(installed), "DATA_DIR": str(data_dir), "PATH": "/usr/bin:/bin"}
    for arguments in (["db", "migrate"], ["sampledata"]):
        ran = subprocess.run(
            [sys.executable, "-c", command, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert (ran.returncode, ran.stdout.splitlines()[0]) == (0, str(installed / "cli" / "__init__.py")), ran.stderr


CHANGES = """# Changelog

## [Unreleased]

## [1.2.3] - 2027-01-31

### Added
- A thing.

## [1.2.2] - 2027-01-01

- Another.
"""
PROJECT = '[project]\nversion = "1.2.3"\n'


def test_a_release_says_its_section_of_the_changelog() -> None:
    assert notes("1.2.3", CHANGES, PROJECT) == "### Added\n- A thing."


@pytest.mark.parametrize(
    ("version", "changes", "project", "expected"),
    [
        ("1.2.4", CHANGES, PROJECT, "expected a tag v1.2.3"),
        ("1.2.4", CHANGES, PROJECT.replace("3", "4"), "there is none"),
        ("1.2.3", CHANGES.replace("### Added\n- A thing.\n", ""), PROJECT, "is empty"),
    ],
)
def test_what_disagrees_is_no_release(version: str, changes: str, project: str, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        notes(version, changes, project)


@pytest.mark.parametrize("path", sorted((ROOT / ".github").rglob("*.yml")), ids=lambda path: path.name)
def test_workflows_run_what_there_is(path: Path) -> None:
    """Every target of make that a workflow runs is one."""
    text = path.read_text()
    assert yaml.safe_load(text)
    targets = {line.partition(":")[0] for line in (ROOT / "Makefile").read_text().splitlines()}
    for line in text.splitlines():
        _, found, command = line.partition("run: make ")
        assert not found or command.split()[0] in targets, line
