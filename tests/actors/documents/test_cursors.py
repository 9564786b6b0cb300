"""Cursors: an editor speaks for one client, and what is repeated changes nothing."""

from actors.documents.cursors import GONE, Cursor, Cursors


def test_an_editor_speaks_for_the_client_that_it_names_first() -> None:
    cursors: Cursors[str] = Cursors()
    own, of_another = Cursor(1, 1, "{}"), Cursor(2, 5, '{"at":1}')
    assert cursors.update("ana", [own]) == (own,)
    assert cursors.update("ana", [of_another]) == ()
    assert cursors.update("bo", [own, of_another]) == (of_another,)
    assert cursors.update("ana", [Cursor(2, 9, "forged")]) == ()
    assert set(cursors.all) == {own, of_another}


def test_only_a_later_clock_changes_something() -> None:
    cursors: Cursors[str] = Cursors()
    cursors.update("ana", [Cursor(1, 3, "{}")])
    assert cursors.update("ana", [Cursor(1, 3, "same clock"), Cursor(1, 2, "earlier")]) == ()
    later = Cursor(1, 4, "later")
    assert cursors.update("ana", [later]) == (later,)


def test_who_leaves_shows_nothing_any_more() -> None:
    cursors: Cursors[str] = Cursors()
    assert cursors.update("ana", [Cursor(1, 1, GONE)]) == ()
    cursors.update("ana", [Cursor(1, 2, "{}")])
    assert cursors.leave("ana") == (Cursor(1, 2, GONE),)
    assert cursors.leave("ana") == ()
    again = Cursor(1, 2, "{}")
    assert cursors.update("her next connection", [again]) == (again,)
