"""The database as commands use it: read in one transaction, written with the server's own commands."""

import contextlib
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from actors import limits
from cli import settings

if TYPE_CHECKING:
    from actors.auth.identity import Identity
    from actors.resources.files.file import Quotas
    from actors.resources.users import User
    from storage.database import Database, DatabaseOptions
    from storage.journal.store import JournalStore

data_dir_option: Callable[[Callable[..., Any]], Callable[..., Any]] = settings.options("data_dir")

_DATABASE = "cli.opening.database.database"


def _remember_database(context: click.Context, _: click.Parameter, url: str | None) -> None:
    if url is not None:
        context.meta[_DATABASE] = _file_of(url)


def _file_of(url: str) -> Path:
    """Of `sqlite:///relative.db`, `sqlite:////absolute.db`, or a path alone."""
    scheme, separator, rest = url.partition("://")
    path = rest.removeprefix("/") if separator else url
    if (separator and scheme != "sqlite") or not Path(path).name:
        raise click.BadParameter(
            f"expected a file, or its URL such as sqlite:///copy.db; got {url!r}.", param_hint="--database"
        )
    return Path(path)


_database_option = click.option(
    "--database", metavar="URL", expose_value=False, is_eager=True, callback=_remember_database,
    help="Another database than that of DATA_DIR: sqlite:///copy.db, or a path.",
)  # fmt: skip


def database_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Flags that say which database a command works on."""
    return data_dir_option(_database_option(command))


def names_another_database() -> bool:
    """Whether the command works on another one than that of DATA_DIR: its files are elsewhere, too."""
    return _DATABASE in click.get_current_context().meta


def options_of(data_dir: str | None) -> "DatabaseOptions":
    from storage.database import FILE_NAME, DatabaseOptions

    chosen = settings.load({"data_dir": data_dir})
    named = click.get_current_context().meta.get(_DATABASE)
    return DatabaseOptions(named or chosen["data_dir"] / FILE_NAME, synchronous=chosen["synchronous"].upper())


@contextlib.contextmanager
def reading(data_dir: str | None) -> Iterator["Database"]:
    """The database at this moment. Raises `DatabaseProblem` where there is none, or where it needs a migration."""
    from storage.maintenance.opening import snapshot

    with snapshot(options_of(data_dir)) as database:
        yield database


def find_user(data_dir: str | None, named: str) -> "User":
    """By id or by e-mail address. Raises `NotFound`, and `Conflict` where several have the address."""
    from storage.maintenance import user_lookup

    with reading(data_dir) as database:
        return user_lookup.find(database, named)


class Writer:
    def __init__(self, store: "JournalStore") -> None:
        self._store = store

    def do(self, *batch: Any) -> Any:
        """All of it in one transaction, or nothing; answers what the last came to. Raises the first refusal."""
        return self._store.apply_whole(batch)[-1].result

    def settle(self) -> None:
        """Let what was deleted leave the search index and the write-ahead log; readers of a server may put it off."""
        self._store.settle(limits.XP_SETTLE_SECONDS)

    def system(self) -> "Identity":
        """In whose name an administrator acts at the terminal: a user like others, so that events have an author.

        A process that may write the file may do everything, so this identity is an ADMIN in any role of the user.
        """
        from actors.auth.system import ENSURE_SYSTEM, system_identity

        return system_identity(self.do(ENSURE_SYSTEM))

    def note(self, action: str, target_kind: str, target_id: str) -> None:
        """Write down, for the audit log, what no command of an administrator writes down by itself."""
        from actors.auth.identity import Origin
        from actors.resources.audit import NoteForAudit

        actor_id = self.system().user.id
        self.do(
            NoteForAudit(
                action=action, origin=Origin("", "", ""), actor_id=actor_id, credential="terminal",
                target_kind=target_kind, target_id=target_id,
            )
        )  # fmt: skip


@contextlib.contextmanager
def writing(data_dir: str | None, quotas: "Quotas | None" = None) -> Iterator[Writer]:
    """A server that runs beside tells its subscribers within about a second. `quotas`: where files may be added."""
    from actors.resources.files.file import NO_QUOTAS
    from storage.journal.store import JournalStore
    from storage.maintenance.opening import must_exist

    options = options_of(data_dir)
    must_exist(options.path)
    store = JournalStore(options, migrate_on_open=False, quotas=quotas or NO_QUOTAS)
    try:
        store.open()
        with _without_warnings():
            yield Writer(store)
    finally:
        store.close()


@contextlib.contextmanager
def _without_warnings() -> Iterator[None]:
    """What the store warns of is in the sentence that it raises."""
    logger = logging.getLogger("storage.journal")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def everyone() -> "Identity":
    """Reads what an admin may; nothing is written in this name."""
    from actors.resources.users import User

    return _identity(User(0, "", "", "", "", None, "ADMIN", "SERVICE", "", "ACTIVE", "{}", 1, 0, 0))


def identity_of(user: "User") -> "Identity":
    return _identity(user)


def _identity(user: "User") -> "Identity":
    from actors.auth.identity import FOREVER, Identity

    return Identity(user, user.author, FOREVER)
