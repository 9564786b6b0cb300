"""Frames of the protocol, for the documents: commands, their results, and pushes.

The session reads commands by hand, since their clients may send what it does not know; so every frame is open here.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, create_model

from actors import limits


class Frame(BaseModel):
    model_config = ConfigDict(extra="allow")


Channel = Annotated[
    str,
    Field(
        min_length=1,
        max_length=limits.CHANNEL_CHARS,
        description="`thread:` and the id of a thread, or the name of a live channel.",
    ),
]
Said = Annotated[Any, Field(description="An event in a thread's channel, any data in a live channel.")]
Number = Annotated[int, Field(ge=1, lt=2**32, description="Chosen by the client; the reply repeats it.")]
Place = Annotated[int, Field(ge=0, description="Position in the channel's log: 1, 2, 3, … without gaps.")]


class PositionFrame(Frame):
    """Events up to here are known to the client."""

    offset: Place = 0
    epoch: str = Field(default="", description="Incarnation of the log; empty: the current one.")


class InfoFrame(Frame):
    """One client of a channel."""

    client: str
    user: str
    conn_info: dict[str, Any] = Field(description="The user's `name` and `kind`.")


class PublicationFrame(Frame):
    offset: Place | None = Field(default=None, description="Absent for ephemeral events, which are not in the log.")
    data: Said
    info: InfoFrame | None = Field(default=None, description="The publisher, in a live channel.")


class EmptyFrame(Frame):
    pass


class ConnectFrame(Frame):
    token: str | None = Field(default=None, description="A JWT or an API key, unless the upgrade request had one.")


class ConnectedFrame(Frame):
    client: str = Field(description="Id of this connection.")
    version: str
    ping: int = Field(description="Seconds between two pings of the server.")
    pong: bool = Field(description="Whether pings have to be answered.")
    session: str | None = Field(
        default=None, description="Identifies this connection in `POST /emulation`; absent for a WebSocket."
    )
    node: str
    expires: bool = Field(default=False, description="Whether the client must refresh its token.")
    ttl: int | None = Field(default=None, description="Seconds until the token expires.")


class SubscribeFrame(Frame):
    channel: Channel
    recover: bool = Field(default=False, description="Also return the publications after `offset` of `epoch`.")
    offset: Place = 0
    epoch: str = ""
    join_leave: bool = Field(default=False, description="Push joins and leaves.")
    token: str | None = Field(default=None, description="Subscription token for a live channel.")
    flag: int = Field(default=0, description="2: fail with error 112 if the recovery is incomplete.")


class SubscribedFrame(Frame):
    recoverable: bool
    positioned: bool
    epoch: str
    offset: Place
    was_recovering: bool = False
    recovered: bool = Field(
        default=False, description=f"Up to {limits.RECOVERY_EVENTS} publications; else page `history`, or reload."
    )
    publications: list[PublicationFrame] = Field(default_factory=list)
    expires: bool = Field(default=False, description="Whether the subscription token expires; `sub_refresh` renews it.")
    ttl: int | None = Field(default=None, description="Seconds until the subscription expires.")


class PublishFrame(Frame):
    channel: Channel
    data: Any = Field(description="The body of `create_message` for a thread; any JSON for a live channel.")


class RpcFrame(Frame):
    method: str = Field(description="An `operationId` of the REST API.")
    data: dict[str, Any] | None = Field(
        default=None,
        description="Path, query and body parameters, beside `idempotency_key`, `if_version` and `traceparent`.",
    )


class RpcResultFrame(Frame):
    data: Any = Field(description="The operation's `data`.")


class HistoryFrame(Frame):
    channel: Channel
    limit: int = Field(default=0, description=f"At most {limits.HISTORY_EVENTS}; 0 returns only the current position.")
    since: PositionFrame | None = None
    reverse: bool = False


class HistoryResultFrame(Frame):
    publications: list[PublicationFrame]
    epoch: str
    offset: Place


class ChannelFrame(Frame):
    channel: Channel


class PresenceFrame(Frame):
    presence: dict[str, InfoFrame] = Field(description="Client id → client; empty above 200 connections.")


class PresenceStatsFrame(Frame):
    num_clients: int
    num_users: int


class SubRefreshFrame(Frame):
    channel: Channel
    token: str


class SubRefreshedFrame(Frame):
    expires: bool = False
    ttl: int | None = None


class RefreshFrame(Frame):
    token: str = Field(description="A new token of the same user.")


class RefreshedFrame(Frame):
    client: str
    version: str
    expires: bool
    ttl: int


class ErrorFrame(Frame):
    code: int
    message: str = Field(description="For `rpc` and `publish` the problem as JSON, the same as `error` in REST.")
    temporary: bool = Field(default=False, description="Whether the same command may succeed later.")


class ErrorReplyFrame(Frame):
    id: Number
    error: ErrorFrame


class PublishedFrame(Frame):
    channel: Channel
    pub: PublicationFrame


class PublicationPushFrame(Frame):
    push: PublishedFrame


class UnsubscribedFrame(Frame):
    code: int
    reason: str


class EndedFrame(Frame):
    channel: Channel
    unsubscribe: UnsubscribedFrame


class UnsubscribePushFrame(Frame):
    push: EndedFrame


class AttendanceFrame(Frame):
    info: InfoFrame


class JoinedFrame(Frame):
    channel: Channel
    join: AttendanceFrame


class JoinPushFrame(Frame):
    push: JoinedFrame


class LeftFrame(Frame):
    channel: Channel
    leave: AttendanceFrame


class LeavePushFrame(Frame):
    push: LeftFrame


class DisconnectedFrame(Frame):
    disconnect: UnsubscribedFrame


class DisconnectPushFrame(Frame):
    push: DisconnectedFrame


VERBS: Final[Mapping[str, tuple[type[Frame], type[Frame], str]]] = {
    "connect": (ConnectFrame, ConnectedFrame, "The first command: authenticates the connection."),
    "subscribe": (SubscribeFrame, SubscribedFrame, "Subscribe to a channel, from now or from a position."),
    "unsubscribe": (ChannelFrame, EmptyFrame, "Unsubscribe from a channel."),
    "publish": (PublishFrame, EmptyFrame, "Write a message to a thread, or publish to a live channel."),
    "rpc": (RpcFrame, RpcResultFrame, "Call any operation of the REST API."),
    "history": (HistoryFrame, HistoryResultFrame, "Pages of a channel's log, back to its beginning."),
    "presence": (ChannelFrame, PresenceFrame, "The subscribers of a channel."),
    "presence_stats": (ChannelFrame, PresenceStatsFrame, "The number of subscribers of a channel."),
    "sub_refresh": (SubRefreshFrame, SubRefreshedFrame, "A new subscription token."),
    "refresh": (RefreshFrame, RefreshedFrame, "A new token, before the old one expires."),
    "ping": (EmptyFrame, EmptyFrame, "Check the connection."),
}
"""Verb → what its command holds, what its reply holds, and what it is for."""


def _camel(verb: str) -> str:
    return "".join(map(str.capitalize, verb.split("_")))


def _with_number(kind: str, verb: str, body: type[Frame]) -> type[Frame]:
    fields: dict[str, Any] = {"id": (Number, ...), verb: (body, ...)}
    return create_model(f"{_camel(verb)}{kind}", __base__=Frame, **fields)


COMMANDS: Final = {verb: _with_number("Command", verb, found[0]) for verb, found in VERBS.items()}
REPLIES: Final = {verb: _with_number("Reply", verb, found[1]) for verb, found in VERBS.items()}
