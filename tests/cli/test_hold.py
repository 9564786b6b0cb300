"""`xp hold`."""

from tests.builders import Ledger
from tests.cli.conftest import Xp


def test_add_list_and_remove(xp: Xp, ledger: Ledger) -> None:
    ana = ledger.user("ana")
    thread = ledger.thread(ana, title="Contract")
    added = xp("hold", "add", "--user", "ana@example.com", "--reason", "case 17")
    assert added.out.endswith(" on the user ana.\n")
    assert xp("hold", "add", "--thread", thread.id, "--reason", "case 17").out.endswith(" on the thread Contract.\n")
    on_thread, on_user = xp("hold", "list", "--json").json
    assert (on_thread["target_id"], on_user["target_id"]) == (thread.id, ana.user.id)
    assert "Contract" in xp("hold", "list").out
    assert "legal hold" in xp("user", "delete", "ana@example.com", "--yes").sentence
    for hold in (on_thread, on_user):
        assert xp("hold", "remove", hold["id"]).out.startswith(f"Removed {hold['id']} from the {hold['kind']} ")
    assert xp("hold", "list", "--json").json == []
    assert [entry["action"] for entry in xp("audit", "list", "--json").json if entry["credential"] == "terminal"] == [
        "remove_hold", "remove_hold", "add_hold", "add_hold",
    ]  # fmt: skip


def test_what_is_wrong(xp: Xp, ledger: Ledger) -> None:
    ana = ledger.user("ana")
    assert "one of --thread and --user" in xp("hold", "add", "--reason", "case 17").err
    assert "reason" in xp("hold", "add", "--user", "ana@example.com", "--reason", " ").sentence
    assert xp("hold", "remove", ana.user.id).code == 1
