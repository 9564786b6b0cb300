"""Writes the generated parts of the docs: `make docs`. A test fails when they lag behind the code."""

from collections.abc import Callable
from pathlib import Path
from typing import get_args

from cli.settings import SETTINGS
from docs import commands
from server.api import operations
from server.documents import user_events
from server.http import catalogue

DOCS = Path(__file__).parent


def errors() -> str:
    lines = []
    for entry in catalogue.ENTRIES:
        retry = "yes" if entry.is_retryable else "no"
        lines.append(f"## {entry.slug}\n")
        lines.append(
            f"{entry.title}. Code `{entry.code}`, HTTP {entry.status}, WebSocket error {entry.error}, "
            f"retryable: {retry}.\n"
        )
        lines.append(f"{entry.what_to_do}\n")
    return "\n".join(lines)


def table_of_operations() -> str:
    lines = ["| method and path | operation (RPC) | what it does |", "|---|---|---|"]
    for operation in operations.ALL:
        methods = " ".join(operation.methods)
        lines.append(f"| `{methods} {operation.path}` | `{operation.name}` | {operation.summary} |")
    return "\n".join(lines)


def table_of_settings() -> str:
    lines = ["| variable | flag | default | |", "|---|---|---|---|"]
    for setting in SETTINGS:
        default = f"`{setting.default}`" if setting.default else "–"
        lines.append(f"| `{setting.name}` | `{setting.flag}` | {default} | {setting.help} |")
    return "\n".join(lines)


def table_of_own_events() -> str:
    lines = ["| type | data |", "|---|---|"]
    for type_, data in user_events.DATA.items():
        shapes = [f"`{{{', '.join(view.model_fields)}}}`" for view in get_args(data) or (data,)]
        lines.append(f"| `{type_}` | {' or '.join(shapes)} |")
    return "\n".join(lines)


PARTS: dict[str, dict[str, Callable[[], str]]] = {
    "api.md": {"operations": table_of_operations},
    "cli.md": {"reference": commands.reference},
    "errors.md": {"errors": errors},
    "notifications.md": {"own events": table_of_own_events},
    "operations.md": {"settings": table_of_settings},
}
"""File → name of a part between `<!-- name -->` and `<!-- /name -->` → what makes it."""


def filled(file: str) -> str:
    """The file with its generated parts as the code has them now."""
    text = (DOCS / file).read_text()
    for name, make in PARTS[file].items():
        start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        before, _, rest = text.partition(start)
        _, _, after = rest.partition(end)
        text = f"{before}{start}{make().rstrip()}\n{end}{after}"
    return text


def main() -> None:
    for file in PARTS:
        (DOCS / file).write_text(filled(file))


if __name__ == "__main__":
    main()
