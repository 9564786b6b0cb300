"""Whatever a client sends, the server has nothing to be sorry for."""

import logging
from collections.abc import Iterator

import pytest

from server.http.throttled_log import ThrottledLog


def said_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if nothing that is not HTTP had come before."""
    seldom = ThrottledLog(logging.getLogger("server.http.server"), logging.INFO)
    monkeypatch.setattr("server.http.server._Quiet._malformed", seldom)


@pytest.fixture(autouse=True)
def nothing_breaks(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """For the tests that import it: none of them makes the server log an error."""
    yield
    errors = [record.getMessage() for record in caplog.get_records("call") if record.levelno >= logging.ERROR]
    assert errors == []
