"""`xp sampledata`."""

from cli import sampledata
from tests.cli.conftest import Xp


def test_it_fills_a_database_that_holds_what_must_hold(xp: Xp) -> None:
    xp("db", "migrate")
    for times in (1, 2):
        made = xp("sampledata", "--json").json
        assert list(made["users"]) == list(sampledata.PEOPLE)
        listed = xp("thread", "list", "--json").json
        assert len(listed) == times * len(sampledata.THREADS)
        assert {thread["title"] for thread in listed} == {title for title, _ in sampledata.THREADS}
        assert xp("db", "check").code == 0
    assert len(xp("user", "list", "--json").json) >= len(sampledata.PEOPLE), "nobody is made twice"
    assert xp("db", "query", "SELECT count(*) FROM user WHERE subject = 'ana'", "--json").json == [{"count(*)": 1}]


def test_where_there_is_no_database(xp: Xp) -> None:
    assert "there is no database" in xp("sampledata").sentence
