"""Why a user may do something or not: the operation itself is run in the user's name, up to what would change anything.

It goes through the same pipeline as every request. Its services read as always; a write is shown to the thread's actor,
done in a transaction and undone, and is the end; so is what would reach outside (mail, push, the blob store).
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeVar, cast

from actors.auth.identity import Identity
from actors.commands import Makes, ThreadCommand
from actors.errors import XpError
from actors.outcomes import Done
from actors.queries import Query
from actors.rehearsal import MayEnter, MayWrite, Rehearse
from actors.resources.audit import NoteForAudit
from actors.resources.message_streams import AppendToMessage
from server.api import pipeline
from server.api.registry import Call, Operation
from server.api.services import Services
from server.files.library import Library
from server.http.headers.peers import Peer
from server.limits.rate_classes import Limited
from server.limits.rate_limits import Policy, RateLimiter, Subject, subject_of
from server.telemetry.watching.watches import Watches

T = TypeVar("T")
Stage = Literal["account", "rate_limit", "scope", "parameters", "operation", "thread", "journal"]
"""Who decides, in the order in which they are asked."""
READ_ONLY: Final = frozenset(
    {
        "clock", "compute", "epoch", "epoch_of", "live_patterns", "node_id", "places", "problem_base", "rate_limits",
        "reads", "started_at", "stage", "version", "warnings", "webhook_addresses",
    }
)  # fmt: skip
"""Services that an operation has in a rehearsal, too."""


class _End(BaseException):
    """Of a rehearsal: passes everything that handles errors. `untried`: what the operation would have gone on to."""

    def __init__(self, untried: str | None) -> None:
        super().__init__(untried)
        self.untried = untried


@dataclass(slots=True)
class Verdict:
    stage: Stage = "account"
    """Who decided; where nothing was refused, who was asked last."""
    refusal: XpError | None = None
    wrote: bool = False
    """Whether a write was tried and undone."""
    untried: str | None = None
    passed: list[Stage] = field(default_factory=list)

    def reach(self, stage: Stage) -> None:
        self.passed.append(self.stage)
        self.stage = stage


async def rehearse(services: Services, operation: Operation, who: Identity, parameters: dict[str, Any]) -> Verdict:
    verdict = Verdict()
    rehearsed = cast("Services", _Services(services, verdict))
    try:
        await pipeline.run(
            operation, rehearsed, _RehearsalEnd(services, rehearsed, operation, who, parameters, verdict)
        )
    except _End as end:
        verdict.untried = end.untried
    except XpError as refusal:
        verdict.refusal = refusal
    return verdict


class _RehearsalEnd:
    """Implements `pipeline.End`."""

    def __init__(
        self, services: Services, rehearsed: Services, operation: Operation, who: Identity,
        parameters: dict[str, Any], verdict: Verdict,
    ) -> None:  # fmt: skip
        self._services = services
        self._rehearsed = rehearsed
        self._operation = operation
        self._who = who
        self._parameters = parameters
        self._verdict = verdict

    async def identify(self) -> Identity:
        await self._services.auth.ask(MayEnter(self._who))
        self._verdict.reach("rate_limit")
        return self._who

    def subject(self, target: Limited, who: Identity | None) -> Subject:
        return subject_of(target, who, str)

    def draw(self, policy: Policy, subject: Subject) -> None:
        policy.look(subject)

    async def read(self, who: Identity | None) -> Call:
        self._verdict.reach("scope")
        return Call(self._rehearsed, who, _nowhere, operation=self._operation.name)

    async def work(self, call: Call) -> None:
        self._verdict.reach("parameters")
        request = self._operation.parse(self._parameters, typed=True)
        self._verdict.reach("operation")
        await self._operation.handler(call, request)

    trace = ""
    ids = ()


def _nowhere() -> Peer:
    return Peer(address="")


class _Services:
    """`Services` of a rehearsal: those that only read, and what takes the place of the others."""

    def __init__(self, services: Services, verdict: Verdict) -> None:
        self._services = services
        self._verdict = verdict
        self.limiter = None if services.limiter is None else _Limiter(services.limiter)
        self.directory = _Directory(self)
        self.sign_ins = _SignIns(services)
        self.activity = self.refusals = _Unnoted()
        self.watches = Watches()
        self.files = _files(services.files, self)

    def __getattr__(self, name: str) -> Any:
        if name not in READ_ONLY:
            raise _End(name)
        return getattr(self._services, name)

    async def ask(self, query: Query[T]) -> T:
        return await self._services.ask(query)

    async def write(self, command: Makes[T], then: Callable[[Done[T]], None] | None = None) -> Done[T]:
        if isinstance(command, NoteForAudit):  # noted before it is done; here nothing is
            return cast("Done[T]", Done(None))
        self._verdict.wrote = True
        if isinstance(command, ThreadCommand):
            await self.show_thread(command)
        self._verdict.reach("journal")
        refusal = (await self._services.write(Rehearse(command))).result
        if refusal is not None:
            raise refusal
        raise _End(None)

    async def show_thread(self, command: ThreadCommand[Any] | AppendToMessage) -> None:
        self._verdict.reach("thread")
        await self._services.directory.thread(command.thread_id).ask(MayWrite(command))

    async def result(self, command: Makes[T]) -> T:
        return (await self.write(command)).result

    async def write_access(self, command: Makes[T]) -> Done[T]:
        return await self.write(command)


class _Directory:
    def __init__(self, services: _Services) -> None:
        self._services = services

    async def ask(self, command: ThreadCommand[T]) -> Done[T]:
        return await self._services.write(command)

    def thread(self, thread_id: str) -> "_Thread":
        return _Thread(self._services)

    def __getattr__(self, name: str) -> Any:
        raise _End(f"directory.{name}")


class _Thread:
    def __init__(self, services: _Services) -> None:
        self._services = services

    async def ask(self, message: Any) -> Any:
        if isinstance(message, ThreadCommand):
            return await self._services.write(message)
        if isinstance(message, AppendToMessage):
            await self._services.show_thread(message)
        raise _End(type(message).__name__)


class _SignIns:
    def __init__(self, services: Services) -> None:
        self.must_come_in = services.sign_ins.must_come_in

    def __getattr__(self, name: str) -> Any:
        raise _End(f"sign_ins.{name}")


class _Limiter:
    """Looks, and takes none."""

    def __init__(self, limiter: RateLimiter) -> None:
        self.policy = limiter.policy

    def take(self, kind: str, subject: Subject) -> int:
        self.policy(kind).look(subject)
        return 1

    def __getattr__(self, name: str) -> Any:
        raise _End(f"limiter.{name}")


class _Unnoted:
    """Where requests leave a trace."""

    def note(self, *_: object, **__: object) -> None: ...

    def __getattr__(self, name: str) -> Any:
        raise _End(f"activity.{name}")


class _Untried:
    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        raise _End(f"{self._name}.{name}")


def _files(library: Library, services: _Services) -> Library:
    made = copy.copy(library)
    made.write = services.write
    made.blobs = cast("Any", _Untried("blobs"))
    return made
