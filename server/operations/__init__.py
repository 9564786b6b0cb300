"""Everything a client can ask for, by REST and by RPC."""

from collections.abc import Mapping

from server.operations import (
    admin,
    api_keys,
    auth,
    exports,
    health,
    log,
    members,
    memory,
    messages,
    notifications,
    oauth,
    preferences,
    presence,
    reactions,
    reading,
    search,
    statuses,
    streams,
    threads,
    users,
)
from server.registry import Operation

_MODULES = (
    health,
    auth,
    oauth,
    api_keys,
    users,
    exports,
    threads,
    members,
    messages,
    streams,
    reactions,
    search,
    presence,
    statuses,
    memory,
    log,
    notifications,
    preferences,
    reading,
    admin,
)

ALL: tuple[Operation, ...] = tuple(operation for module in _MODULES for operation in module.operations.all)
BY_NAME: Mapping[str, Operation] = {operation.name: operation for operation in ALL}
