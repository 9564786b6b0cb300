"""A system that has signed with a short secret for years moves here without changing it, and hears of it."""

import logging
import time
from pathlib import Path

import click
import pytest

from server.auth.token_minting import mint
from tests.serving import serving
from tests.tokens import DOMAIN


async def test_it_serves_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    secret = "your-jwt-secret-key"
    with caplog.at_level(logging.WARNING, "cli.serve"):
        async with serving(tmp_path / "data", JWT_SECRET=secret) as server:
            root = server.client("root")
            root.token = mint(
                secret.encode(), sub="root", email=f"root@{DOMAIN}", name="Root", domain=DOMAIN, role="ADMIN",
                ttl_seconds=60, now=time.time(),
            )  # fmt: skip
            warnings = (await root.get("/api/v1/admin/summary")).data["warnings"]
    (logged,) = [record.message for record in caplog.records if "JWT_SECRET" in record.message]
    assert "19 bytes" in logged
    assert logged in warnings
    assert secret not in logged


@pytest.mark.parametrize("secret", ["x", "fifteen bytes!!"])
async def test_below_sixteen_bytes_it_does_not_start(tmp_path: Path, secret: str) -> None:
    with pytest.raises(click.ClickException, match="at least 16 bytes"):
        async with serving(tmp_path / "data", JWT_SECRET=secret):
            pass
