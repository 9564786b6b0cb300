"""Every query has its answer, and an answer is found by the query's class."""

import pkgutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module

import pytest
from peewee import SqliteDatabase

import actors
from actors.queries import IdentityQuery, Query
from actors.resources.users import GetUser
from storage.readers import reads  # finds the answers
from storage.readers.answers import answer, answered, answers
from tests.builders import Ledger

BASES = {Query, IdentityQuery}


def declared(base: type) -> Iterator[type]:
    """Without what a dataclass with slots was made from."""
    for kind in base.__subclasses__():
        if getattr(sys.modules[kind.__module__], kind.__name__, None) is kind:
            yield kind
        yield from declared(kind)


def queries() -> set[type]:
    for module in pkgutil.walk_packages(actors.__path__, "actors."):
        import_module(module.name)
    return {kind for kind in declared(Query) if kind.__module__.startswith("actors.")} - BASES


def test_every_query_is_answered() -> None:
    assert reads.SqliteReads
    assert {kind.__name__ for kind in queries() - answered()} == set()
    assert {kind.__name__ for kind in answered() - queries()} == set()


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
