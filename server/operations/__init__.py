"""Everything a client can ask for, by REST and by RPC."""

from collections.abc import Mapping

from server.operations import health, log, members, messages, reactions, threads, users
from server.registry import Operation

ALL: tuple[Operation, ...] = tuple(
    operation
    for module in (health, users, threads, members, messages, reactions, log)
    for operation in module.operations.all
)
BY_NAME: Mapping[str, Operation] = {operation.name: operation for operation in ALL}
