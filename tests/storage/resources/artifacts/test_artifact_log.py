"""The log of one artifact: read by an index of its own, whatever else the log of its thread has."""

from actors.event_kinds import KINDS
from actors.resources.artifacts.channel import ReadArtifactLog, is_about_artifacts
from storage.readers.answers import answer
from storage.resources.log.reading import ABOUT_ARTIFACTS
from tests.builders import Ledger
from tests.storage.resources.artifacts.desk import Desk


def test_every_kind_of_event_about_artifacts_is_read() -> None:
    """Whoever adds a kind says how its events lead to the artifact; the index has them by the names of their kinds."""
    kinds = [kind for kind in KINDS.values() if is_about_artifacts(kind)]
    assert {kind.refers_to for kind in kinds} == ABOUT_ARTIFACTS.keys()
    assert {kind.name[:8] for kind in kinds} <= {"artifact", "proposal", "comment."}
    assert {kind.name for kind in KINDS.values() if kind.refers_to in ABOUT_ARTIFACTS} == {kind.name for kind in kinds}


def test_a_long_log_of_the_thread_costs_nothing(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    artifact = Desk(ledger).create(ana, thread)
    for _ in range(50):
        ledger.post(ana, thread)
    statements: list[str] = []
    connection = ledger.reader.connection()
    connection.set_trace_callback(statements.append)
    for reverse in (False, True):
        page = answer(ledger.reader, ReadArtifactLog(ana, artifact.id, 0, limit=10, reverse=reverse))
        assert ([event.type for event in page.events], page.head) == (["artifact.created"], 52)
    connection.set_trace_callback(None)
    about = [text for text in statements if "SUBSTR" in text]
    assert len(about) == 2
    for text in about:
        plan = [row[3] for row in ledger.sql(f"EXPLAIN QUERY PLAN {text}")]
        on_events = [line for line in plan if "event_artifact" in line]
        assert len(on_events) == len(ABOUT_ARTIFACTS), plan
        assert all("(ref=? AND offset" in line for line in on_events), plan
