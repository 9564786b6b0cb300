"""ETags that come back: one or a list, weak ones, and with what a proxy that compresses adds to them.

Apache makes `"1-7314ebde"` into `"1-7314ebde-gzip"`, Jetty appends `--gzip`, nginx and others make them weak.
"""

import re

_TAG = re.compile(r'(?:W/)?"([^"]*)"')
_ENCODING = re.compile(r"(?:--?|;)(?:gzip|br|zstd|deflate)$")
_VERSION = re.compile(r"(\d{1,18})(?:-[0-9a-f]{1,8})?")


def tags_of(header: str) -> list[str] | None:
    """What is between the quotes, without what a proxy added; an empty list for `*`, None for no such header."""
    text = header.strip()
    if text == "*":
        return []
    found = _TAG.findall(text)
    left = _TAG.sub("", text).replace(",", " ").split()
    return None if left or not found else [_ENCODING.sub("", tag) for tag in found]


def versions_of(header: str) -> frozenset[int] | None:
    """The versions that an If-Match names; empty for any. None where one of its tags is not ours."""
    tags = tags_of(header)
    if tags is None:
        return None
    matches = [_VERSION.fullmatch(tag) for tag in tags]
    return frozenset(int(match[1]) for match in matches if match) if all(matches) else None


def matches(header: str | None, tag: str) -> bool:
    """Whether an If-None-Match names this tag (given without quotes), or any."""
    if header is None:
        return False
    tags = tags_of(header)
    return tags is not None and (not tags or tag in tags)
