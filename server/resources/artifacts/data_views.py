"""Data sets of artifacts on the wire."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints

from actors import limits
from server.api.fields import Id, NoNul, Request, Shallow, Time, View
from server.resources.users.views import AuthorView


def _each_once(names: list[str]) -> list[str]:
    if len(set(names)) < len(names):
        raise ValueError("expected each name once")
    return names


_DATA_NAME = r"^[a-z0-9][a-z0-9_-]{0,63}$"
DataName = Annotated[str, StringConstraints(pattern=_DATA_NAME), Field(examples=["sales"])]
ExistingDataName = Annotated[str, Field(examples=["sales"], json_schema_extra={"pattern": _DATA_NAME})]
"""No data set has a malformed name: it is not found, like an id that is none."""
Columns = Annotated[
    list[Annotated[str, StringConstraints(min_length=1, max_length=255), NoNul]],
    Field(min_length=1, max_length=limits.DATA_COLUMNS, json_schema_extra={"uniqueItems": True}),
    AfterValidator(_each_once),
]
Rows = Annotated[
    list[Any],
    Shallow,
    Field(
        max_length=limits.DATA_ROWS,
        description="Each has a cell for each column: a text, a number, true, false or null.",
        json_schema_extra={"items": {"type": "array", "items": {"type": ["string", "number", "boolean", "null"]}}},
    ),
]


class DataView(View):
    artifact_id: Id
    name: str
    columns: list[str]
    count: int = Field(description="Of its rows.")
    size: int = Field(description="Bytes of its rows as JSON.")
    revision: int
    updated_by: AuthorView
    updated_at: Time


class FullDataView(DataView):
    rows: list[list[Any]]


class DataChangedView(View):
    artifact_id: Id
    name: str
    change: Literal["replaced", "appended", "deleted"]
    revision: int
    count: int = Field(description="Rows after it.")


class DataRequest(Request):
    id: Id
    name: ExistingDataName


class ReplaceDataRequest(Request):
    id: Id
    name: DataName
    columns: Columns
    rows: Rows


class AppendDataRequest(Request):
    id: Id
    name: DataName
    rows: Rows
    keep: Annotated[int, Field(ge=0, le=limits.DATA_ROWS)] | None = Field(
        default=None, description="The newest so many rows are kept, the oldest are dropped."
    )


class DeletedDataView(View):
    artifact_id: Id
    name: str
    deleted: Literal[True]
