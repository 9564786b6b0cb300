"""How many refused sign-ins get an entry in the audit log."""

import pytest

from actors import limits
from server.auth.refused_sign_ins import RefusedSignIns


def test_beyond_a_pace_they_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "AUDIT_REFUSED", "1/s:3")
    now = 100.0
    refused = RefusedSignIns(lambda: now)
    assert [refused.reason("wrong") for _ in range(5)] == ["wrong", "wrong", "wrong", None, None]
    now += 2.0
    assert [refused.reason("wrong") for _ in range(2)] == [
        "wrong; 2 more sign-ins refused before this one have no entry",
        "wrong",
    ]
