"""What every answer comes in: metadata beside the data, or a problem (RFC 9457)."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from server.api.fields import Time, View


class PaginationView(View):
    limit: int = Field(ge=1)
    next_cursor: str | None = Field(description="The `cursor` of the next page; null on the last one.")
    has_more: bool


class MetadataView(BaseModel):
    """Some lists of a thread add the `offset` of its log, read before them, and the log's `epoch`; an answer
    that makes a user or a sign-in link adds `warnings` where ALLOWED_DOMAINS would refuse that user."""

    model_config = ConfigDict(extra="allow")

    timestamp: Time
    correlation_id: str = Field(description="The same as `X-Correlation-ID`; in every log line of the request.")
    version: Literal["1.0"] = Field(description="Version of the envelope.")


class ListMetadataView(MetadataView):
    pagination: PaginationView


class ProblemView(View):
    type: str = Field(json_schema_extra={"format": "uri"}, description="URL of a page about the error and what to do.")
    title: str
    status: int = Field(ge=400, le=599)
    detail: str = Field(description="What was expected, and what was received.")
    errors: dict[str, list[str]] = Field(description="JSON path of a field → its errors.")
    code: str = Field(description="Stable identifier, for programs.", pattern="^[a-z_]+$")
    retryable: bool = Field(description="Whether the same request may succeed later.")
    timestamp: Time
    trace_id: str = Field(description="The correlation id.")
    correlation_id: str = Field(description="The same, under the name used in successful responses.")


class FailureView(View):
    success: Literal[False]
    error: ProblemView
