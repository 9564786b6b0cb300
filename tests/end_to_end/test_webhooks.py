"""Webhooks of a real server process that is killed."""

from pathlib import Path

from tests.end_to_end.webhook_kills import drill


async def test_no_delivery_is_lost_by_kills(tmp_path: Path) -> None:
    """`make webhook-drill` does it with 20 kills and 10,000 deliveries."""
    found = await drill(tmp_path, kills=2, count=200, seconds=0.005)
    assert (found["missing"], found["foreign"], found["with_two_ids"]) == (0, 0, 0)
