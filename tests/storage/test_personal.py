"""No column that names a user is forgotten: it says what becomes of its rows with that user, and in their export."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from peewee import ForeignKeyField

import cli.users.export
import server.resources.exports.operations as exports
from actors.resources.users import DeleteUser
from storage import declared
from storage.personal import Personal
from storage.readers import answers
from storage.schema.models import Base, User
from tests.builders import Ledger

PERSONAL: list[Personal] = sorted(declared.each("PERSONAL"), key=str)
EXPORTED = [personal for personal in PERSONAL if personal.export is not None]
CLI = Path(cli.users.export.__file__).parents[1]


def tables(base: type[Base]) -> Iterator[type[Base]]:
    for table in base.__subclasses__():
        if table.__module__.startswith("storage.schema."):
            yield table
        yield from tables(table)


def names_a_user(field: Any) -> bool:
    """By a reference, or by a public id that outlives the user."""
    if isinstance(field, ForeignKeyField):
        return field.rel_model is User
    return re.search(r"(^|_)(actor|about|author|creator|owner|user)(_id)?$", field.name) is not None


def test_every_column_that_names_a_user_is_declared_once() -> None:
    found = [f"{table._meta.table_name}.{field.name}" for table in tables(Base) for field in table._meta.sorted_fields
             if names_a_user(field)]  # fmt: skip
    assert len(found) > 25
    declared_columns = [str(personal) for personal in PERSONAL]
    assert sorted(found) == declared_columns, "each needs a `Personal` beside its resource in storage/resources/"


@pytest.mark.parametrize("more", [{}, {"export": object, "withheld": "a secret"}])
def test_it_is_exported_or_says_why_not(more: Any) -> None:
    with pytest.raises(ValueError, match=r"session\.user"):
        Personal(next(each.column for each in PERSONAL if str(each) == "session.user"), **more)


@pytest.mark.parametrize("personal", EXPORTED, ids=str)
def test_what_is_exported_is_in_the_export_of_both(personal: Personal) -> None:
    assert personal.export is not None
    assert vars(exports).get(personal.export.__name__) is personal.export, "over REST"
    answer = answers._answer_for(personal.export).function
    at_the_terminal = "".join(path.read_text() for path in [*CLI.glob("*.py"), *CLI.glob("users/*.py")])
    assert f".{answer.__name__}(" in at_the_terminal


def test_what_is_not_kept_goes_with_the_user(ledger: Ledger) -> None:
    ana, ran = ledger.user("ana"), []
    connection = ledger.store.database.connection()
    connection.set_trace_callback(ran.append)
    ledger.do(DeleteUser(identity=ledger.admin(), user_id=ana.user.id, content="keep"))
    connection.set_trace_callback(None)
    deleted = {
        (match[1], match[2])
        for statement in ran
        if (match := re.match(r'DELETE FROM "(\w+)" WHERE \("\w+"\."(\w+)" = ' + str(ana.user.key) + r"\)$", statement))
    }
    goes = {(each.column.model._meta.table_name, each.column.column_name) for each in PERSONAL if not each.kept}
    assert {("session", "user_id"), ("notification", "user_id"), ("password", "user_id")} < goes
    assert goes <= deleted
