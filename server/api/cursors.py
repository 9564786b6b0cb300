"""Opaque cursors of lists: an integer key, as text."""

from actors.errors import ValidationFailed


def integer(cursor: str | None, prefix: str = "") -> int | None:
    """Raises `ValidationFailed` for a cursor that was not ours."""
    if cursor is None:
        return None
    text = cursor.removeprefix(prefix)
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise ValidationFailed({"cursor": ["expected `metadata.pagination.next_cursor` of the previous page."]})
    return int(text)
