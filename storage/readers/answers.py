"""The registry of functions that answer queries: each is in `storage/resources/<resource>/` and names the query's
class.

    @answers(GetNote)
    def one(database: SqliteDatabase, identity: Identity, note_id: str) -> Note: ...

The function takes the query's fields, by their names, and answers what the query says: the type checker holds both.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from peewee import SqliteDatabase

from actors.queries import Query

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Answer:
    function: Callable[..., Any]
    positional: tuple[Callable[[Any], Any], ...]
    keywords: tuple[tuple[str, Callable[[Any], Any]], ...]
    """Fields of the query."""

    def to(self, database: SqliteDatabase, query: Query[Any]) -> Any:
        keywords = {name: field(query) for name, field in self.keywords}
        return self.function(database, *[field(query) for field in self.positional], **keywords)


_ANSWERS: dict[type, _Answer] = {}


def answers(
    kind: Callable[P, Query[T]],
) -> Callable[[Callable[Concatenate[SqliteDatabase, P], T]], Callable[Concatenate[SqliteDatabase, P], T]]:
    """`kind`: a class of queries. The function stays what it is, and may be called as such within a transaction."""

    def register(function: Callable[Concatenate[SqliteDatabase, P], T]) -> Callable[Concatenate[SqliteDatabase, P], T]:
        assert isinstance(kind, type)
        assert kind not in _ANSWERS, f"{kind.__name__} has two answers"
        positional = tuple(attrgetter(field.name) for field in fields(kind) if not field.kw_only)
        keywords = tuple((field.name, attrgetter(field.name)) for field in fields(kind) if field.kw_only)
        _ANSWERS[kind] = _Answer(function, positional, keywords)
        return function

    return register


def answer(database: SqliteDatabase, query: Query[T]) -> T:
    """By the function for the query's class, or for the nearest of its bases that has one."""
    return cast(T, _answer_for(type(query)).to(database, query))  # `answers` held their types


def answered() -> frozenset[type]:
    """Classes of queries that have an answer."""
    return frozenset(_ANSWERS)


def _answer_for(kind: type) -> _Answer:
    found = _ANSWERS.get(kind)
    if found is None:
        found = next((_ANSWERS[base] for base in kind.__mro__ if base in _ANSWERS), None)
        if found is None:
            raise LookupError(f"No function in storage/resources/ answers {kind.__name__}: see `@answers`.")
    return found
