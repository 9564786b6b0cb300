"""What a release says: `python -m docs.release_notes VERSION` prints its section of the changelog.

It fails where the tag, pyproject.toml and CHANGELOG.md do not agree on the version.
"""

import re
import tomllib
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parent.parent


def notes(version: str, changelog: str, project: str) -> str:
    """`project`: the text of pyproject.toml. Raises `ValueError`."""
    declared = tomllib.loads(project)["project"]["version"]
    if version != declared:
        raise ValueError(f"expected a tag v{declared}, the version in pyproject.toml; got v{version}.")
    heading = rf"^## \[{re.escape(version)}\] - [0-9-]{{10}}\n"
    section = re.search(rf"{heading}(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    if section is None:
        raise ValueError(f"expected a section `## [{version}] - YYYY-MM-DD` in CHANGELOG.md; there is none.")
    if not section[1].strip():
        raise ValueError(f"expected what changed in {version}; its section of CHANGELOG.md is empty.")
    return section[1].strip()


@click.command()
@click.argument("version")
def main(version: str) -> None:
    """Print what VERSION says."""
    try:
        said = notes(version, (ROOT / "CHANGELOG.md").read_text(), (ROOT / "pyproject.toml").read_text())
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    click.echo(said)


if __name__ == "__main__":
    main()
