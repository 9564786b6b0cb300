"""What a content becomes by a patch: a JSON Patch (RFC 6902) or a merge patch (RFC 7396). Pure."""

from typing import Any

from actors.errors import ValidationFailed
from actors.resources.artifacts import json_patch
from actors.resources.artifacts.json_patch import PatchFailed
from actors.text.merge_patch import merge_patch


def by_patch(content: Any, operations: list[Any]) -> Any:
    """Raises `ValidationFailed` with the operation that cannot be applied."""
    try:
        return json_patch.patched(content, operations)
    except PatchFailed as failed:
        raise ValidationFailed({f"patch.{failed.index}": [f"{failed.sentence}."]}) from None


def by_merge(content: Any, patch: Any) -> Any:
    return merge_patch(content, patch)
