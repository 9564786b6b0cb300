"""Dates of HTTP (RFC 9110 5.6.7)."""

from datetime import UTC
from email.utils import parsedate_to_datetime


def seconds_of(text: str) -> float:
    """Since 1970. The form of asctime names no zone and means UTC. Raises `ValueError` for what is no date."""
    try:
        found = parsedate_to_datetime(text)
        return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).timestamp()
    except OverflowError as error:
        raise ValueError(str(error)) from None
