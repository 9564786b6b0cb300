"""The AsyncAPI document as a page to read: channels, commands, events, each with an example."""

from collections.abc import Mapping
from html import escape
from typing import Any

from server.api_docs.html import code, page, prose, table
from server.api_docs.json_schemas import REFERENCE, Schema

Json = Mapping[str, Any]


def render(document: Json) -> str:
    messages: Mapping[str, Json] = document["components"]["messages"]
    schemas: Mapping[str, Schema] = document["components"]["schemas"]
    kinds = {
        "Commands": [name for name in messages if name.endswith(".command")],
        "Replies": [name for name in messages if name.endswith(".reply")],
        "Pushes": [name for name in messages if name.endswith(".push")],
        "Events": [name for name in messages if not name.endswith((".command", ".reply", ".push"))],
    }
    return page(
        "Live updates",
        f"<p>{prose(document['info']['description'])}</p>",
        '<p>For programs: <a href="/asyncapi.json">asyncapi.json</a>.</p>',
        _channels(document["channels"]),
        *(
            f"<h2>{kind}</h2>" + "".join(_message(name, messages[name], schemas) for name in names)
            for kind, names in kinds.items()
        ),
    )


def _channels(channels: Mapping[str, Json]) -> str:
    parts = [
        f"<h3><code>{escape(found['address'])}</code></h3><p>{prose(found['description'])}</p>"
        for found in channels.values()
    ]
    return "<h2>Where</h2>" + "".join(parts)


def _message(name: str, message: Json, schemas: Mapping[str, Schema]) -> str:
    return (
        f'<h3 id="{escape(name)}">{escape(name)}</h3><p>{prose(message["summary"])}</p>'
        f"{_fields(message['payload'], schemas)}{code(message['examples'][0]['payload'])}"
    )


def _fields(schema: Schema, schemas: Mapping[str, Schema]) -> str:
    """Descriptions of the fields, including those of a nested object."""
    rows = [(f"<code>{escape(path)}</code>", prose(text)) for path, text in _described(schema, schemas, "")]
    return table((), rows) if rows else ""


def _described(schema: Schema, schemas: Mapping[str, Schema], prefix: str) -> list[tuple[str, str]]:
    found = schemas[schema["$ref"].removeprefix(REFERENCE)] if "$ref" in schema else schema
    described: list[tuple[str, str]] = []
    for name, inner in found.get("properties", {}).items():
        if "description" in inner:
            described.append((prefix + name, inner["description"]))
        if not prefix:
            described += _described(inner, schemas, f"{name}.")
    return described
