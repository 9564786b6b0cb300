"""Everything a client can ask for, by REST and by RPC: the operations of every resource."""

from collections.abc import Mapping

import server.resources
from actors.modules import import_named
from server.api.registry import Operation

ALL: tuple[Operation, ...] = tuple(
    operation for module in import_named(server.resources, "operations") for operation in module.operations.all
)
BY_NAME: Mapping[str, Operation] = {operation.name: operation for operation in ALL}
