"""What operations and transports work with: put together once by the composition root, shared by all requests."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

from actors.auth.access_changes import AccessChange, AccessChanges
from actors.auth.access_watch import AccessWatch
from actors.auth.actor import AccessChanged, Authenticate, VerifiedTokens, has_other_rights
from actors.auth.identity import Identity
from actors.commands import Makes, ThreadCommand
from actors.delivery.epochs import epoch_of
from actors.delivery.live_channels import LiveChannels
from actors.errors import TokenExpired, Unauthenticated, XpError
from actors.identifiers import new_id
from actors.outcomes import Done
from actors.queries import Query, Reads
from actors.resources.exports import EXPORT_PROGRESS, Export
from actors.resources.message_streams import AuthorsChanged
from actors.resources.presence import Status
from actors.resources.user_events import UserEphemeral
from actors.runtime.fair_pool import FairPool, Words
from actors.runtime.loop_actor import LoopFuture, Ref, Stage
from actors.threads.directory import Directory
from actors.threads.inbox import StatusChanged
from actors.users.activity import Activity
from actors.users.directory import Users
from actors.users.option_requests import OptionRequests
from server.api.places import Places
from server.api.refusals import Refusals
from server.auth.seen_tokens import SeenTokens
from server.auth.sign_ins import SignIns
from server.auth.tokens import ChannelClaims
from server.collab.rooms import Rooms
from server.exports.jobs import ExportJobs
from server.exports.printer import Printer
from server.files.library import Library
from server.http.request_log import RequestLog
from server.limits.rate_limits import RateLimiter
from server.limits.sockets import SocketCounts
from server.outbound.addresses import AddressRules
from server.outbound.mail.digests import DigestMailer
from server.outbound.mail.letters import Letters
from server.outbound.mail.notices import Notices
from server.outbound.push.pusher import Pusher
from server.realtime.hub import Hub
from server.realtime.protocol import codes as protocol
from server.realtime.session.recovery import Recovery
from server.telemetry.backup_state import BackupState
from server.telemetry.error_groups import ErrorGroups
from server.telemetry.log_level import LogLevel
from server.telemetry.loop_watch import LoopWatch
from server.telemetry.measures import ServerMeasures
from server.telemetry.metrics_access import MetricsAccess
from server.telemetry.status.history import History
from server.telemetry.watching.watches import Watches

if TYPE_CHECKING:
    from server.telemetry.alerts.alert import Alert
    from server.telemetry.tracing.tracer import SpanTracer

P = ParamSpec("P")
T = TypeVar("T")
COMPUTING: Final = Words("computing", "request", "requests")


@dataclass(slots=True)
class Services:
    directory: Directory
    reads: Reads
    auth: Ref
    tokens: VerifiedTokens
    hub: Hub
    sign_ins: SignIns
    live_channels: LiveChannels
    users: Users
    files: Library
    printer: Printer
    export_jobs: ExportJobs
    verify_channel: Callable[[str, float], ChannelClaims]
    """A token for one channel; raises `Unauthenticated`."""
    epoch: str
    """Incarnation of the log; clients get `epoch_of` a channel. A cursor of another one is not served."""
    version: str
    problem_base: str
    tracer: "SpanTracer | None" = None
    """None: nothing is traced."""
    rate_limits: bool = True
    limiter: RateLimiter | None = None
    """None with RATE_LIMITS=off."""
    started_at: float = field(default_factory=time.time)
    node_id: str = field(default_factory=new_id)
    clock: Callable[[], float] = time.time
    computing: FairPool = field(default_factory=lambda: FairPool(1, "computing", COMPUTING))
    """One OS thread: it holds the interpreter lock, and more of them would only take turns from the event loop."""
    warnings: tuple[str, ...] = ()
    """What weakens the server as it is set up, a sentence for each; for administrators."""
    draining: bool = False
    live_patterns: tuple[str, ...] = ()
    """Patterns of live channels that are open to all users."""
    seen_tokens: SeenTokens = field(default_factory=SeenTokens)
    refusals: Refusals = field(default_factory=Refusals)
    request_log: RequestLog = field(default_factory=RequestLog)
    sockets: SocketCounts = field(default_factory=SocketCounts)
    """Of the HTTP server: all connections, whatever they do."""
    measures: ServerMeasures = field(default_factory=ServerMeasures)
    watches: Watches = field(default_factory=Watches)
    """What administrators watch live."""
    loop_watch: LoopWatch = field(default_factory=LoopWatch)
    error_groups: ErrorGroups = field(default_factory=ErrorGroups)
    history: History = field(default_factory=History)
    alerts: "Sequence[Alert]" = ()
    status_is_public: bool = False
    """Whether all may see the status page, without what is secret."""
    backups: BackupState = field(default_factory=BackupState)
    log_level: LogLevel = field(default_factory=LogLevel)
    measured_files: Mapping[str, Path] = field(default_factory=dict)
    """Label → a file whose size is a metric."""
    metrics_access: MetricsAccess = field(default_factory=MetricsAccess)
    webhook_addresses: AddressRules = field(default_factory=AddressRules)
    """Where webhooks and pushes may be sent to."""
    pusher: Pusher = field(init=False)
    """Of Web Push; set by the composition root."""
    option_requests: OptionRequests = field(default_factory=OptionRequests)
    digests: DigestMailer | None = None
    """Of e-mail; None: the server sends none."""
    letters: Letters | None = None
    """Mails with a link that signs in; None: the server sends none."""
    notices: Notices | None = None
    """Mails about changes of an account; None: the server sends none."""
    access: AccessWatch = field(init=False)
    """Started with the first connected user."""
    activity: Activity = field(init=False)
    recovery: Recovery = field(init=False)
    places: Places = field(init=False)
    rooms: Rooms = field(init=False)
    """Documents that are edited."""

    def __post_init__(self) -> None:
        self.recovery = Recovery(self.reads)
        self.places = Places(self.reads)
        self.rooms = Rooms(self)
        self.activity = Activity(clock=self.clock, append=self.directory.journal.append, tell=self._tell_status)
        self.directory.status = self.activity.status
        self.export_jobs.tell = self._tell_export

    def _tell_export(self, export: Export) -> None:
        self.users.tell(export.user_key, UserEphemeral(EXPORT_PROGRESS, export))

    def _tell_status(self, changed: Mapping[int, Status]) -> None:
        """To the threads that they follow."""
        typing = {
            (channel, user_key): client.identity.author
            for user_key in changed
            for client in self.activity.connections(user_key)
            for channel in client.channels
        }
        for (channel, user_key), author in typing.items():
            kind, _, thread_id = channel.partition(":")
            if kind == "thread":
                self.directory.tell_if_live(thread_id, StatusChanged(author, changed[user_key]))

    @property
    def stage(self) -> Stage:
        return self.directory.stage

    def epoch_of(self, channel: str) -> str:
        return epoch_of(self.epoch, channel)

    async def compute(
        self, identity: Identity, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:  # fmt: skip
        """What takes more than a millisecond and waits for nothing: beside the event loop, in the turns of its user.
        Raises `TooManyRequests`, and what `function` raises."""
        return await self.computing.run(identity.user.key, partial(function, *args, **kwargs))

    async def identify(self, token: str, address: str) -> Identity:
        """Whom a token speaks for; raises `Unauthenticated` or `Forbidden`.

        Raises `TooManyRequests` where too many unknown tokens from that address were no good: nobody guesses for long.
        """
        known = self.tokens.get(token)
        if known is not None:
            return known
        if self.limiter is None:
            return await self._judge(token)
        self.limiter.check_token(token, address)
        try:
            return await self._judge(token)
        except TokenExpired:  # it was valid once, so it was not guessed
            raise
        except Unauthenticated:
            self.limiter.token_refused(token, address)
            raise

    async def _judge(self, token: str) -> Identity:
        try:
            identity = await self.auth.ask(Authenticate(token))
        except XpError as error:
            self.measures.credential_refused(error)
            raise
        self.measures.credential_accepted(identity)
        return identity

    async def ask(self, query: Query[T]) -> T:
        """What is committed, read as it is now."""
        return await self.reads.ask(query)

    async def write(self, command: Makes[T], then: Callable[[Done[T]], None] | None = None) -> Done[T]:
        """Write a command that belongs to no thread. `then` runs also when the caller has disconnected meanwhile."""
        reply: LoopFuture[Done[T]] | None = None
        if self.tracer is not None:
            self.tracer.asked(reply := LoopFuture())
        reply = self.directory.journal.append(command, reply)
        if then is not None:
            reply.when_done(lambda outcome: None if outcome.error else then(outcome.result()))
        return await reply

    async def result(self, command: Makes[T]) -> T:
        """What a command comes to that is written here: by its thread where it names one, else by the journal."""
        if isinstance(command, ThreadCommand):
            done: Done[T] = await self.directory.ask(command)  # `isinstance` forgets the T
            return done.result
        return (await self.write(command)).result

    async def write_access(self, command: Makes[T]) -> Done[T]:
        """The same for a command that may end access: open connections are checked at once, even if the caller has
        gone."""
        done = await self.write(command, lambda _: self.access.look())
        await self.access.settle()
        return done

    def access_changed(self, changes: Sequence[AccessChange]) -> None:
        """Earlier identities are invalid. Connections of a credential that ended, or of a deactivated or deleted user,
        are closed for good; those of a user with changed rights reconnect with the new ones."""
        by_what = AccessChanges(changes)
        self.auth.tell(AccessChanged(by_what))
        self.seen_tokens.forget(by_what)
        self.recovery.forget()
        self.directory.tell_writing(AuthorsChanged(by_what))
        for change in changes:
            if change.user is not None:
                self.users.look_at(change.user.key)
        for client in self.hub.clients:
            if client.identity is None or (concerned := by_what.concerning(client.identity)) is None:
                continue
            if concerned.kind != "user" or concerned.user is None or concerned.user.status != "ACTIVE":
                client.close(*protocol.INVALID_TOKEN)
            elif has_other_rights(client.identity, concerned.user):
                client.close(*protocol.EXPIRED)
            else:
                client.renew(concerned.user)
