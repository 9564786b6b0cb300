"""Writes the generated parts of the docs: `make docs`. A test fails when they lag behind the code."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

from actors.event_kinds import KINDS, USER_KINDS
from actors.resources.artifacts import contents
from actors.resources.blocks import profile as profiles
from actors.resources.blocks.profile import Profile
from cli.settings import SETTINGS
from docs import commands
from server.api import operations
from server.api.events import views
from server.http import catalogue
from server.resources.messages.events import SharedMessageView
from server.resources.threads.events import SharedThreadView
from server.resources.threads.views import MemberView
from server.telemetry.metrics import METRICS

DOCS = Path(__file__).parent
DEPLOY = DOCS.parent / "deploy"


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


def table_of_metrics() -> str:
    lines = ["| metric | type | labels | |", "|---|---|---|---|"]
    for metric in METRICS:
        name = f"{metric.name}_total" if metric.kind == "counter" else metric.name
        labels = ", ".join(f"`{label}`" for label in metric.labels) or "–"
        lines.append(f"| `{name}` | {metric.kind} | {labels} | {metric.help} |")
    return "\n".join(lines)


def table_of_events() -> str:
    lines = ["| type | data | ends access |", "|---|---|---|"]
    for kind, data in ((kind, views()[kind]) for kind in KINDS.values()):
        resource = RESOURCES.get(kind.refers_to or "") if data.view in WHOLE else None
        ends = ENDS_ACCESS[kind.ends_access]
        lines.append(f"| `{kind.name}` | {resource or _shapes(data.view)} | {ends} |")
    return "\n".join(lines)


WHOLE = (SharedMessageView, SharedThreadView, MemberView)
RESOURCES = {"message": "the message", "thread": "the thread", "user": "the member"}
ENDS_ACCESS = {None: "", "member": "of that member", "everyone": "of everyone"}


def table_of_own_events() -> str:
    lines = ["| type | data |", "|---|---|"]
    for kind, data in ((kind, views()[kind]) for kind in USER_KINDS.values()):
        lines.append(f"| `{kind.name}` | {_shapes(data.view)} |")
    return "\n".join(lines)


def _shapes(view: Any) -> str:
    return " or ".join(f"`{{{', '.join(each.model_fields)}}}`" for each in get_args(view) or (view,))


def table_of_blocks() -> str:
    return _table_of_shapes(profiles.load())


def table_of_bodies() -> str:
    return _table_of_shapes(contents.profile())


def _table_of_shapes(profile: Profile) -> str:
    lines = ["| type | field | required | what it holds |", "|---|---|---|---|"]
    for name, shape in profile.shapes.items():
        for field, spec in shape["fields"].items():
            required = "yes" if spec.get("required") else ""
            lines.append(f"| `{name}` | `{field}` | {required} | {_held(spec)} |")
    return "\n".join(lines)


def _held(spec: Any) -> str:
    kind = spec["kind"]
    match kind:
        case "choice":
            return " or ".join(f"`{value}`" for value in spec["values"])
        case "object":
            return f"`{spec['of']}`"
        case "one":
            return f"any of the family *{spec['family']}*" if "family" in spec else _names(spec["of"])
        case "text":
            return f"{_names(spec['of'])}, {_range(spec, 'characters')}"
        case "array":
            return f"{_range(spec, 'items')}: {_held(spec['of'])}"
        case "scalar":
            return f"a text of at most {spec['max']} characters, a number, true or false"
        case "blocks":
            return "[blocks](blocks.md), as those of a message"
        case "json":
            return f"any JSON object, at most {spec['bytes']} bytes"
        case "string" | "url":
            return f"{spec.get('format', 'URL' if kind == 'url' else 'text')}, {_range(spec, 'characters')}"
    return f"{kind}{', ' + _range(spec, '') if 'min' in spec or 'max' in spec else ''}".rstrip()


def _range(spec: Any, unit: str) -> str:
    least, most = spec.get("min", 0), spec.get("max")
    return f"at least {least} {unit}".rstrip() if most is None else f"{least}–{most} {unit}".rstrip()


def _names(names: Any) -> str:
    return " or ".join(f"`{name}`" for name in names)


def file_of_deploy(path: str, language: str) -> Callable[[], str]:
    """A file of `deploy/` as it stands there."""
    return lambda: f"```{language}\n{(DEPLOY / path).read_text().rstrip()}\n```"


PARTS: dict[str, dict[str, Callable[[], str]]] = {
    "api.md": {"operations": table_of_operations},
    "artifacts.md": {"bodies": table_of_bodies},
    "blocks.md": {"blocks": table_of_blocks},
    "cli.md": {"reference": commands.reference},
    "errors.md": {"errors": errors},
    "metrics.md": {"metrics": table_of_metrics},
    "notifications.md": {"own events": table_of_own_events},
    "operations.md": {"settings": table_of_settings},
    "proxies.md": {
        "nginx.conf": file_of_deploy("proxies/nginx.conf", "nginx"),
        "Caddyfile": file_of_deploy("proxies/Caddyfile", "caddyfile"),
        "haproxy.cfg": file_of_deploy("proxies/haproxy.cfg", "haproxy"),
    },
    "realtime.md": {"events": table_of_events},
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
