"""Dates of HTTP, in each of their three forms."""

import os
import time
from collections.abc import Iterator

import pytest

from server.http.headers.dates import seconds_of


@pytest.fixture
def far_from_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    yield
    os.environ.pop("TZ")
    time.tzset()


@pytest.mark.usefixtures("far_from_utc")
@pytest.mark.parametrize(
    "text", ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
)
def test_the_same_moment_in_each_form_wherever_the_server_is(text: str) -> None:
    assert seconds_of(text) == 784_111_777


@pytest.mark.parametrize("text", ["", "yesterday", "Sun, 06 Nov 99999999999 08:49:37 GMT"])
def test_what_is_no_date(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        seconds_of(text)
