"""Every query has its answer, and an answer is found by the query's class."""

from dataclasses import dataclass

import pytest
from peewee import SqliteDatabase

from actors.queries import IdentityQuery, Query
from actors.resources.users import GetUser
from storage.readers import reads  # finds the answers
from storage.readers.answers import answer, answered, answers
from tests.builders import Ledger
from tests.declared import declared


def test_every_query_is_answered() -> None:
    assert reads.SqliteReads
    answered_here = {kind for kind in answered() if kind.__module__.startswith("actors.")}
    assert declared(Query) - {IdentityQuery} == answered_here


def test_a_query_has_one_answer() -> None:
    with pytest.raises(AssertionError, match="GetUser has two answers"):

        @answers(GetUser)
        def another(database: SqliteDatabase, user_id: str) -> None: ...


@dataclass(frozen=True, slots=True)
class GetUserKindly(GetUser):
    why: str = "politeness"


def test_a_query_is_answered_as_its_base_is(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    assert ledger.ask(answer, GetUserKindly(ana.user.id)) == ledger.ask(answer, GetUser(ana.user.id)) == ana.user


@dataclass(frozen=True, slots=True)
class GetNothing(Query[None]):
    pass


def test_a_query_without_an_answer_says_where_one_belongs(ledger: Ledger) -> None:
    with pytest.raises(LookupError, match=r"storage/resources/ answers GetNothing"):
        ledger.ask(answer, GetNothing())
