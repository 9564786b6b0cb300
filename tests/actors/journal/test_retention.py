"""When the rules of retention are applied; what each takes is tested with the store."""

from typing import Any

from actors.journal.retention import Retention
from actors.resources.retention import RetentionRules


def retention(**days: int) -> Retention:
    nothing: Any = None
    return Retention(nothing, nothing, RetentionRules(**days), first_seconds=3_600)


async def test_rules_are_applied_until_the_end() -> None:
    made = retention(delete_threads=30)
    made.start()
    assert made._periodic.is_running
    await made.stop()
    assert not made._periodic.is_running


async def test_without_a_rule_nothing_runs() -> None:
    made = retention()
    made.start()
    assert not made._periodic.is_running
    await made.stop()
