"""Asks of the thread's actor and of the journal whether they would refuse a command."""

from dataclasses import dataclass
from typing import Any

from actors.asks import Asks
from actors.auth.identity import Identity
from actors.commands import Makes
from actors.errors import XpError


@dataclass(frozen=True, slots=True)
class MayEnter(Asks[None]):
    """Of the auth actor: raises what refuses an identity, such as a deactivated account. Looks at no credential."""

    identity: Identity


@dataclass(frozen=True, slots=True)
class MayWrite(Asks[None]):
    """Of a thread's actor: raises what it would refuse the command with."""

    command: object


@dataclass(frozen=True, slots=True)
class Rehearse(Makes[XpError | None]):
    """Of the journal: do the command in its transaction and undo it; answers what it is refused with."""

    command: Makes[Any]
