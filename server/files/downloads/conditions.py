"""Conditional requests for content (RFC 9110, 13): what the client has already, and what it may put together. Pure.

A file's content has a strong ETag, its SHA-256, and the time at which its version was made.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from enum import Enum

from server.http.headers.dates import seconds_of
from server.http.headers.etags import tags_of


class Verdict(Enum):
    SEND = 200
    NOT_MODIFIED = 304
    FAILED = 412


def judge(headers: Mapping[str, str], tag: str, modified: int) -> Verdict:
    """`tag` without quotes, `modified` in milliseconds. In the order of RFC 9110, 13.2.2: tags go before times."""
    if (wanted := headers.get("If-Match")) is not None:
        if not _names(wanted, tag):
            return Verdict.FAILED
    elif (since := _seconds(headers.get("If-Unmodified-Since"))) is not None and modified // 1000 > since:
        return Verdict.FAILED
    if (known := headers.get("If-None-Match")) is not None:
        return Verdict.NOT_MODIFIED if _names(known, tag) else Verdict.SEND
    if (since := _seconds(headers.get("If-Modified-Since"))) is not None and modified // 1000 <= since:
        return Verdict.NOT_MODIFIED
    return Verdict.SEND


def may_send_ranges(if_range: str | None, tag: str, modified: int) -> bool:
    """Whether what the client has is a part of this content: only a strong ETag, or the exact time, says so."""
    if if_range is None:
        return True
    text = if_range.strip()
    if text.startswith('"'):
        return text == f'"{tag}"'
    return _seconds(text) == modified // 1000


def http_date(milliseconds: int) -> str:
    return format_datetime(datetime.fromtimestamp(milliseconds // 1000, UTC), usegmt=True)


def _names(header: str, tag: str) -> bool:
    tags = tags_of(header)
    return tags is not None and (not tags or tag in tags)


def _seconds(header: str | None) -> int | None:
    """None also for what is no date: such a header is ignored."""
    if header is None:
        return None
    try:
        return int(seconds_of(header))
    except ValueError:
        return None
