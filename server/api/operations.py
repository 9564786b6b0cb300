"""Everything a client can ask for, by REST and by RPC."""

from collections.abc import Mapping

from server.api.registry import Operation
from server.resources.admin import operations as admin
from server.resources.api_keys import operations as api_keys
from server.resources.auth import operations as auth
from server.resources.exports import operations as exports
from server.resources.health import operations as health
from server.resources.log import operations as log
from server.resources.members import operations as members
from server.resources.memory import operations as memory
from server.resources.messages import operations as messages
from server.resources.notifications import operations as notifications
from server.resources.oauth import operations as oauth
from server.resources.preferences import operations as preferences
from server.resources.presence import operations as presence
from server.resources.reactions import operations as reactions
from server.resources.reading import operations as reading
from server.resources.search import operations as search
from server.resources.statuses import operations as statuses
from server.resources.streams import operations as streams
from server.resources.threads import operations as threads
from server.resources.users import operations as users

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
