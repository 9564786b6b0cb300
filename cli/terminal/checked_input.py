"""What a client may send, asked of what is typed at a terminal: the server's own request models."""

from typing import Any, TypeVar

import click
from pydantic import BaseModel, ValidationError

M = TypeVar("M", bound=BaseModel)


def checked(model: type[M], **fields: Any) -> M:
    """Raises `click.ClickException` with a sentence about the first field that breaks a rule."""
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        item = error.errors(include_url=False, include_context=False, include_input=False)[0]
        name = ".".join(str(part) for part in item["loc"])
        message = "not valid" if item["type"] == "string_pattern_mismatch" else item["msg"]
        message = message.removeprefix("Value error, ")
        raise click.ClickException(f"{name + ': ' if name else ''}{message}.") from None
