"""JSON Schemas of the pydantic models, as the documents of the API show them."""

import re
from collections.abc import Iterable
from typing import Any, Final

import orjson
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

Schema = dict[str, Any]

REFERENCE: Final = "#/components/schemas/"
_VIEW: Final = "View"
_MAPS: Final = ("properties", "patternProperties", "$defs")
_LISTS: Final = ("anyOf", "oneOf", "allOf", "prefixItems")
_ONE: Final = ("items", "additionalProperties")


class _Generator(GenerateJsonSchema):
    def field_title_should_be_set(self, schema: Any) -> bool:
        """A field's name says as much."""
        return False


def name_of(model: type[BaseModel]) -> str:
    """`MessageView` is how the server calls what clients know as a Message."""
    return model.__name__.removesuffix(_VIEW)


def reference(model: type[BaseModel]) -> Schema:
    return {"$ref": REFERENCE + name_of(model)}


def of_models(models: Iterable[type[BaseModel]]) -> dict[str, Schema]:
    """The schemas of these models and of what they refer to, by name and in its order."""
    wanted = sorted(set(models), key=lambda model: model.__name__)
    _, made = models_json_schema(
        [(model, "validation") for model in wanted],
        ref_template=REFERENCE + "{model}",
        schema_generator=_Generator,
    )
    found = {name.removesuffix(_VIEW): _tidy(schema) for name, schema in made["$defs"].items()}
    return dict(sorted(found.items()))


def without_null(schema: Schema) -> Schema:
    """The same for places where there is no null, as in a query: what may be null may be left out."""
    variants = [variant for variant in schema.get("anyOf", ()) if variant != {"type": "null"}]
    if len(variants) != 1:
        return schema
    return {**variants[0], **{key: value for key, value in schema.items() if key != "anyOf"}}


def _tidy(schema: Schema) -> Schema:
    """With the names that clients know, and with defaults that are values of what they stand for."""
    tidied = dict(schema)
    for key in ("$ref", "title"):
        if isinstance(tidied.get(key), str):
            tidied[key] = tidied[key].removesuffix(_VIEW)
    _tidy_default(tidied)
    _tidy_object(tidied)
    for key in _ONE:
        if isinstance(tidied.get(key), dict):
            tidied[key] = _tidy(tidied[key])
    for key in _LISTS:
        if key in tidied:
            tidied[key] = [_tidy(inner) for inner in tidied[key]]
    for key in _MAPS:
        if key in tidied:
            tidied[key] = {name: _tidy(inner) for name, inner in tidied[key].items()}
    return tidied


def _tidy_object(schema: Schema) -> None:
    """What an object may hold beside what is listed: without a word, generators of clients take it for nothing."""
    types = schema.get("type")
    if types == "object" or (isinstance(types, list) and "object" in types):
        schema.setdefault("additionalProperties", True)


def with_defaults_in_words(schema: Schema) -> Schema:
    """For a body: generators of clients make a field that has a `default` a required one."""
    fields = {name: _default_in_words(field) for name, field in schema.get("properties", {}).items()}
    return {**schema, "properties": fields}


def _default_in_words(field: Schema) -> Schema:
    if "default" not in field:
        return field
    default = orjson.dumps(field["default"]).decode()
    words = f"{field.get('description', '')} Left out: `{default}`.".strip()
    return {**{key: value for key, value in field.items() if key != "default"}, "description": words}


def _tidy_default(schema: Schema) -> None:
    """None, and a text that a client could not send, stand for what was left out; an object's is kept as JSON text."""
    default = schema.get("default")
    if default is None or ("pattern" in schema and not re.search(schema["pattern"], default)):
        schema.pop("default", None)
    elif isinstance(default, str) and schema.get("type") == "object":
        schema["default"] = orjson.loads(default)
