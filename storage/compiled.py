"""Statements compiled once from Peewee queries and executed often.

Building a query and its SQL costs 50 µs for the smallest and 400 µs for a message with its author, executing it 10 µs:
what is asked all the time is prepared. And each statement gives up the GIL and has to win it back: so what comes in
batches is a few statements of many rows, whose SQL is made once for each number of rows.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import chain
from typing import Any

from peewee import SQL, BaseQuery, Database, NodeList, Value, ValuesList

from actors import limits


class _Slot:
    """Stands in a query where a value is given at each execution."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class _Given:
    def __getattr__(self, name: str) -> Any:
        return Value(_Slot(name), converter=False)


class Prepared:
    """A statement with named slots: `Prepared(lambda given: M.select(M.role).where(M.user == given.user))`.

    What is given goes to SQLite as it is, without the conversions of Peewee's fields; and a null is equal to nothing.
    """

    def __init__(self, build: Callable[[Any], BaseQuery]) -> None:
        self._build = build
        self._compiled: tuple[str, list[Any]] | None = None

    def execute(self, database: Database, **given: Any) -> Any:
        """Answers SQLite's cursor."""
        compiled = self._compiled
        if compiled is None:  # two threads may both make it, and it is the same
            compiled = self._compiled = self._build(_Given()).bind(database).sql()
        text, parameters = compiled
        values = [given[each.name] if type(each) is _Slot else each for each in parameters]
        return database.execute_sql(text, values)

    def all(self, database: Database, **given: Any) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = self.execute(database, **given).fetchall()
        return rows

    def first(self, database: Database, **given: Any) -> tuple[Any, ...] | None:
        rows = self.all(database, **given)
        return rows[0] if rows else None


def each_of(keys: Any) -> NodeList:
    """For `column.in_(each_of(given.keys))`: any number of keys, given as one JSON array."""
    return NodeList((SQL("(SELECT value FROM json_each("), keys, SQL("))")), glue="")


class Shaped:
    """A statement of a few shapes, each compiled when it is first asked for:

        PAGE = Shaped(lambda given, *, by_status: ...)
        PAGE.of(by_status=status is not None).all(database, status=status)

    A shape says which conditions there are. What stands in them is given, or each value would be a shape of its own.
    """

    def __init__(self, build: Callable[..., BaseQuery]) -> None:
        self._build = build
        self._made: dict[frozenset[tuple[str, bool]], Prepared] = {}

    def of(self, **shape: bool) -> Prepared:
        key = frozenset(shape.items())
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = Prepared(partial(self._build, **shape))
        return made


class ManyRows:
    """A statement whose parameters are, row after row, the values that it was built for."""

    def __init__(self, build: Callable[[int], BaseQuery]) -> None:
        """`build(n)` makes the query for n rows; every parameter in it must belong to a row, in order."""
        self._build = build
        self._pieces: tuple[str, str, str] | None = None
        self._texts: dict[int, str] = {}

    def run(self, database: Database, rows: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        """Execute for all rows; answers what the statement returns, in no particular order."""
        answers: list[tuple[Any, ...]] = []
        for start in range(0, len(rows), limits.STATEMENT_ROWS):
            part = rows[start : start + limits.STATEMENT_ROWS]
            count = len(part)
            text = self._texts.get(count)
            if text is None:
                text = self._texts[count] = self.text(database, count)
            cursor = database.execute_sql(text, list(chain.from_iterable(part)))
            answers += cursor.fetchall()
        return answers

    def text(self, database: Database, count: int) -> str:
        """One row more repeats one piece: a text of 64 rows takes Peewee 10 ms, and batches come in every size."""
        if self._pieces is None:
            one, two = (self._build(n).bind(database).sql()[0] for n in (1, 2))
            same = next(index for index, (a, b) in enumerate(zip(f"{one}\0", two, strict=False)) if a != b)
            self._pieces = one[:same], two[same : same + len(two) - len(one)], one[same:]
        begin, row, end = self._pieces
        return begin + row * (count - 1) + end


def insert_rows(model: Any, fields: Iterable[Any]) -> ManyRows:
    """`INSERT INTO model (fields) VALUES …` for many rows."""
    columns = list(fields)
    return ManyRows(lambda count: insert_many(model, columns, count).as_rowcount())


def insert_many(model: Any, fields: Sequence[Any], count: int) -> Any:
    """For the query of a `ManyRows` that does more than insert."""
    return model.insert_many([[0] * len(fields)] * count, fields=fields)


def values(count: int, width: int) -> ValuesList:
    """A table of parameters to join with; its columns are `column1`, `column2`, …"""
    return ValuesList([[0] * width] * count, alias="given")
