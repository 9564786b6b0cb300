"""The store's time, as a test sets it."""

import pytest

from storage.journal import transaction

NOW = 1_900_000_000_000


class Clock:
    """Starts at `NOW`, in milliseconds since 1970."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = NOW
        monkeypatch.setattr(transaction, "now_ms", lambda: self.now)
