"""JSON merge patches. Pure."""

from typing import Any


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7386: what `target` becomes; neither is changed. null takes a member away, objects are merged, the rest is
    replaced, lists too. Recursion is as deep as the patch."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged
