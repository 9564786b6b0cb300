"""Who is answered what: a line for every operation, and for every id that may come with a query or a body.

A new operation has to be given its line here; `test_every_operation_has_its_line` says which one is missing.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel

from actors.identifiers import new_id
from server.api import operations
from server.api.registry import Operation
from tests.server.operations.sweep.people import PEOPLE, Keyed, Nobody
from tests.server.operations.sweep.requests import World
from tests.serving import Client

TABLE = """
                              nobody  stranger    former    viewer    member     owner     admin assistant       key
get_health                       200       200       200       200       200       200       200       200       200
get_api_health                   200       200       200       200       200       200       200       200       200
get_liveness                     200       200       200       200       200       200       200       200       200
get_readiness                    200       200       200       200       200       200       200       200       200
get_info                         200       200       200       200       200       200       200       200       200
login                            200       200       200       200       200       200       200       200       200
refresh_session                  200       200       200       200       200       200       200       200       200
logout                           401       200       200       200       200       200       200       200       403
get_signed_in_user               401       200       200       200       200       200       200       200       403
verify_credential                401       200       200       200       200       200       200       200       403
list_sessions                    401       200       200       200       200       200       200       200       403
end_session                      401       404       404       404       404       200       200       404       403
end_other_sessions               401       200       200       200       200       200       200       200       403
set_password                     401       200       200       200       200       200       200       200       403
list_api_keys                    401       200       200       200       200       200       200       200       403
list_api_keys.user_id            401       403       403       403       403       200       200       403       403
create_api_key                   401       201       201       201       201       201       201       201       403
create_api_key.user_id           401       403       403       403       403       201       201       403       403
revoke_api_key                   401       404       404       404       404       200       200       404       403
get_me                           401       200       200       200       200       200       200       200       403
update_me                        401       200       200       200       200       200       200       200       403
list_users                       401       200       200       200       200       200       200       200       403
create_user                      401       403       403       403       403       403       201       403       403
list_users_legacy                401       200       200       200       200       200       200       200       403
create_user_legacy               401       403       403       403       403       403       201       403       403
get_user                         401       200       200       200       200       200       200       200       403
update_user                      401       403       403       403       403       200       200       403       403
delete_user                      401       403       403       403       403       403       200       403       403
export_user                      401       403       403       403       403       200       200       403       403
export_memberships               401       403       403       403       403       200       200       403       403
export_messages                  401       403       403       403       403       200       200       403       403
export_files                     401       403       403       403       403       200       200       403       403
export_actions                   401       403       403       403       403       200       200       403       403
export_artifacts                 401       403       403       403       403       200       200       403       403
export_proposals                 401       403       403       403       403       200       200       403       403
export_comments                  401       403       403       403       403       200       200       403       403
export_sessions                  401       403       403       403       403       200       200       403       403
list_threads                     401       200       200       200       200       200       200       200       403
create_thread                    401       201       201       201       201       201       201       201       403
create_thread.members            401       201       201       201       201       201       201       201       403
create_thread.id                 401       409       409       409       409       409       409       409       403
get_thread                       401       404       404       200       200       200       200       404       403
update_thread                    401       404       404       403       403       200       200       404       403
hand_over                        401       404       404       403       200       200       403       404       403
delete_thread                    401       404       404       403       403       200       200       404       403
mark_read                        401       404       404       200       200       200       404       404       403
list_members                     401       404       404       200       200       200       200       404       403
add_member                       401       404       404       403       403       201       201       404       403
add_member.user_id               401       201       201       201       201       201       201       201       403
get_member                       401       404       404       200       200       200       200       404       403
update_member                    401       404       404       403       403       200       200       404       403
remove_member                    401       404       404       403       403       200       200       404       403
list_messages                    401       404       404       200       200       200       200       404       403
create_message                   401       404       404       403       201       201       403       404       403
create_message.parent_id         401       404       404       404       404       404       404       404       403
create_message.id                401       409       409       409       409       409       409       409       403
get_message                      401       404       404       200       200       200       200       404       403
update_message                   401       404       404       403       403       200       403       404       403
delete_message                   401       404       404       403       403       200       200       404       403
list_revisions                   401       404       404       200       200       200       200       404       403
append_to_message                401       404       404       403       409       200       403       404       403
complete_message                 401       404       404       403       403       200       403       404       403
fail_message                     401       404       404       403       403       200       403       404       403
cancel_message                   401       404       404       403       200       200       403       404       403
validate_blocks                  401       200       200       200       200       200       200       200       403
render_message                   401       404       404       200       200       200       200       404       403
create_action                    401       404       404       403       201       201       403       404       403
list_message_actions             401       404       404       200       200       200       200       404       403
create_artifact_action           401       404       404       403       201       201       403       404       403
list_artifact_actions            401       404       404       200       200       200       200       404       403
find_artifact_options            401       404       404       403       200       200       403       404       403
list_actions                     401       200       200       200       200       200       200       200       403
get_action                       401       404       404       404       404       200       200       404       403
find_options                     401       404       404       403       200       200       403       404       403
answer_options                   401       404       404       404       404       200       404       404       403
answer_action                    401       404       404       404       404       200       403       404       403
list_files                       401       200       200       200       200       200       200       200       403
list_files.thread_id             401       404       404       200       200       200       200       404       403
list_files.owner_id              401       200       200       200       200       200       200       200       403
create_file                      401       201       201       201       201       201       201       201       403
create_file.thread_id            401       404       404       403       201       201       403       404       403
create_file.id                   401       409       409       409       409       409       409       409       403
get_storage_use                  401       200       200       200       200       200       200       200       403
get_storage_use.thread_id        401       404       404       200       200       200       200       404       403
get_file                         401       404       404       200       200       200       200       404       403
update_file                      401       404       404       403       403       200       200       404       403
delete_file                      401       404       404       403       403       200       200       404       403
list_file_versions               401       404       404       200       200       200       200       404       403
get_file_version                 401       404       404       200       200       200       200       404       403
restore_file_version             401       404       404       403       403       200       200       404       403
sign_file                        401       404       404       200       200       200       200       404       403
begin_upload                     401       404       404       403       403       201       201       404       403
complete_upload                  401       404       404       404       404       200       404       404       403
complete_upload.upload_id        401       404       404       404       404       200       404       404       403
batch_files                      401       200       200       200       200       200       200       200       403
batch_files.thread_id            401       200       200       200       200       200       200       200       403
list_artifacts                   401       200       200       200       200       200       200       200       403
list_artifacts.thread_id         401       404       404       200       200       200       200       404       403
list_artifacts.creator_id        401       200       200       200       200       200       200       200       403
list_thread_artifacts            401       404       404       200       200       200       200       404       403
list_thread_artifacts.creator_id 401       404       404       200       200       200       200       404       403
create_artifact                  401       404       404       403       201       201       403       404       403
create_artifact.id               401       409       409       409       409       409       409       409       403
create_artifact.message_id       401       404       404       403       201       201       403       404       403
validate_artifact                401       200       200       200       200       200       200       200       403
get_artifact                     401       404       404       200       200       200       200       404       403
update_artifact                  401       404       404       403       200       200       403       404       403
update_artifact.message_id       401       404       404       403       200       200       403       404       403
delete_artifact                  401       404       404       403       403       200       200       404       403
list_artifact_versions           401       404       404       200       200       200       200       404       403
get_artifact_version             401       404       404       200       200       200       200       404       403
restore_artifact_version         401       404       404       403       200       200       403       404       403
list_artifact_data               401       404       404       200       200       200       200       404       403
get_artifact_data                401       404       404       200       200       200       200       404       403
replace_artifact_data            401       404       404       403       200       200       403       404       403
append_artifact_data             401       404       404       403       200       200       403       404       403
delete_artifact_data             401       404       404       403       200       200       403       404       403
list_artifact_shares             401       404       404       200       200       200       200       404       403
share_artifact                   401       404       404       403       201       201       403       404       403
revoke_artifact_share            401       404       404       403       403       200       200       404       403
get_artifact_document            401       404       404       200       200       200       200       404       403
list_proposals                   401       404       404       200       200       200       200       404       403
create_proposal                  401       404       404       403       201       201       403       404       403
create_proposal.message_id       401       404       404       403       201       201       403       404       403
get_proposal                     401       404       404       200       200       200       200       404       403
accept_proposal                  401       404       404       403       200       200       403       404       403
reject_proposal                  401       404       404       403       200       200       403       404       403
withdraw_proposal                401       404       404       403       403       200       403       404       403
list_comments                    401       404       404       200       200       200       200       404       403
list_comments.parent_id          401       404       404       200       200       200       200       404       403
create_comment                   401       404       404       403       201       201       403       404       403
create_comment.parent_id         401       404       404       403       201       201       403       404       403
get_comment                      401       404       404       200       200       200       200       404       403
update_comment                   401       404       404       403       200       200       403       404       403
delete_comment                   401       404       404       403       403       200       200       404       403
list_artifact_streams            401       404       404       200       200       200       200       404       403
open_artifact_stream             401       404       404       403       201       201       403       404       403
open_artifact_stream.message_id  401       404       404       403       201       201       403       404       403
get_artifact_stream              401       404       404       200       200       200       200       404       403
append_to_artifact               401       404       404       403       409       200       403       404       403
complete_artifact_stream         401       404       404       403       403       200       403       404       403
cancel_artifact_stream           401       404       404       403       200       200       403       404       403
compare_artifact_versions        401       404       404       200       200       200       200       404       403
create_artifact_export           401       404       404       202       202       202       202       404       403
create_thread_export             401       404       404       202       202       202       202       404       403
list_exports                     401       200       200       200       200       200       200       200       403
get_export                       401       404       404       404       404       200       404       404       403
delete_export                    401       404       404       404       404       200       404       404       403
list_unacknowledged              401       200       200       200       200       200       200       200       403
list_acknowledgements            401       404       404       200       200       200       200       404       403
acknowledge_message              401       404       404       200       200       200       403       404       403
list_reactions                   401       404       404       200       200       200       200       404       403
toggle_reaction                  401       404       404       403       201       201       403       404       403
add_reaction                     401       404       404       403       200       200       403       404       403
remove_reaction                  401       404       404       403       200       200       403       404       403
search                           401       200       200       200       200       200       200       200       403
search.author_id                 401       200       200       200       200       200       200       200       403
search.thread_id                 401       404       404       200       200       200       200       404       403
get_presence                     401       404       404       200       200       200       200       404       403
set_typing                       401       404       404       403       200       200       403       404       403
get_status                       401       200       200       200       200       200       200       200       403
set_status                       401       200       200       200       200       200       200       200       403
get_memory                       401       404       404       200       200       200       200       404       403
replace_memory                   401       404       404       403       200       200       403       404       403
update_memory                    401       404       404       403       200       200       403       404       403
get_context                      401       404       404       200       200       200       200       404       403
list_events                      401       404       404       200       200       200       200       404       403
list_notifications               401       200       200       200       200       200       200       200       403
count_notifications              401       200       200       200       200       200       200       200       403
get_notification                 401       404       404       404       404       200       404       404       403
read_notification                401       404       404       404       404       200       404       404       403
read_all_notifications           401       200       200       200       200       200       200       200       403
dismiss_notification             401       404       404       404       404       200       404       404       403
get_preferences                  401       200       200       200       200       200       200       200       403
update_preferences               401       200       200       200       200       200       200       200       403
get_thread_preferences           401       404       404       200       200       200       404       404       403
update_thread_preferences        401       404       404       200       200       200       404       404       403
get_unread                       401       200       200       200       200       200       200       200       403
mark_unread                      401       404       404       200       200       200       404       404       403
list_readers                     401       404       404       200       200       200       200       404       403
list_readers.message_id          401       404       404       404       404       404       404       404       403
list_own_events                  401       200       200       200       200       200       200       200       403
create_schedule                  401       201       201       201       201       201       201       201       403
create_schedule.thread_id        401       404       404       201       201       201       201       404       403
create_schedule.message_id       401       404       404       201       201       201       201       404       403
list_schedules                   401       200       200       200       200       200       200       200       403
list_schedules.thread_id         401       200       200       200       200       200       200       200       403
get_schedule                     401       404       404       404       404       200       404       404       403
update_schedule                  401       404       404       404       404       200       404       404       403
cancel_schedule                  401       404       404       404       404       200       404       404       403
get_push_key                     401       200       200       200       200       200       200       200       403
list_push_subscriptions          401       200       200       200       200       200       200       200       403
subscribe_to_push                401       201       201       201       201       201       201       201       403
unsubscribe_from_push            401       404       404       404       404       200       404       404       403
test_push_subscription           401       404       404       404       404       200       404       404       403
get_mailbox                      401       200       200       200       200       200       200       200       403
list_webhooks                    401       200       200       200       200       200       200       200       403
list_webhooks.user_id            401       403       403       403       403       200       200       403       403
create_webhook                   401       201       201       201       201       201       201       201       403
get_webhook                      401       404       404       404       404       200       200       404       403
update_webhook                   401       404       404       404       404       200       404       404       403
delete_webhook                   401       404       404       404       404       200       200       404       403
rotate_webhook_secret            401       404       404       404       404       200       404       404       403
test_webhook                     401       404       404       404       404       202       202       404       403
list_deliveries                  401       404       404       404       404       200       200       404       403
replay_deliveries                401       404       404       404       404       200       200       404       403
list_audit                       401       403       403       403       403       403       200       403       403
list_audit.target_id             401       403       403       403       403       403       200       403       403
list_audit.actor_id              401       403       403       403       403       403       200       403       403
get_server_status                401       403       403       403       403       403       200       403       403
get_log_level                    401       403       403       403       403       403       200       403       403
set_log_level                    401       403       403       403       403       403       200       403       403
get_errors                       401       403       403       403       403       403       200       403       403
get_summary                      401       403       403       403       403       403       200       403       403
list_connections                 401       403       403       403       403       403       200       403       403
list_connections.user_id         401       403       403       403       403       403       200       403       403
end_connection                   401       403       403       403       403       403       200       403       403
list_all_sessions                401       403       403       403       403       403       200       403       403
list_all_sessions.user_id        401       403       403       403       403       403       200       403       403
end_any_session                  401       403       403       403       403       403       200       403       403
create_sign_in_link              401       403       403       403       403       403       201       403       403
revoke_token                     401       403       403       403       403       403       200       403       403
list_holds                       401       403       403       403       403       403       200       403       403
list_holds.target_id             401       403       403       403       403       403       200       403       403
add_hold                         401       403       403       403       403       403       201       403       403
add_hold.target_id               401       403       403       403       403       403       201       403       403
remove_hold                      401       403       403       403       403       403       200       403       403
trace_user                       401       403       403       403       403       403       200       403       403
explain_access                   401       403       403       403       403       403       200       403       403
explain_access.api_key_id        401       403       403       403       403       403       404       403       403
trace_thread                     401       403       403       403       403       403       200       403       403
trace_thread.user_id             401       403       403       403       403       403       200       403       403
"""

FIELDS: Mapping[str, Callable[[World], Any]] = {
    "list_api_keys.user_id": lambda world: world.viewer_id,
    "create_api_key.user_id": lambda world: world.viewer_id,
    "create_thread.id": lambda world: world.thread_id,
    "create_thread.members": lambda world: [{"user_id": world.viewer_id}],
    "add_member.user_id": lambda world: world.viewer_id,
    "create_message.id": lambda world: world.message_id,
    "create_message.parent_id": lambda world: world.message_id,
    "list_files.thread_id": lambda world: world.thread_id,
    "list_files.owner_id": lambda world: world.alice_id,
    "create_file.thread_id": lambda world: world.thread_id,
    "create_file.id": lambda world: world.file_id,
    "get_storage_use.thread_id": lambda world: world.thread_id,
    "complete_upload.upload_id": lambda world: world.upload_id,
    "batch_files.thread_id": lambda world: world.thread_id,
    "list_artifacts.thread_id": lambda world: world.thread_id,
    "list_artifacts.creator_id": lambda world: world.alice_id,
    "list_thread_artifacts.creator_id": lambda world: world.alice_id,
    "create_artifact.id": lambda world: world.artifact_id,
    "create_artifact.message_id": lambda world: world.message_id,
    "update_artifact.message_id": lambda world: world.message_id,
    "create_proposal.message_id": lambda world: world.message_id,
    "list_comments.parent_id": lambda world: world.comment_id,
    "create_comment.parent_id": lambda world: world.comment_id,
    "open_artifact_stream.message_id": lambda world: world.message_id,
    "create_schedule.thread_id": lambda world: world.thread_id,
    "create_schedule.message_id": lambda world: world.message_id,
    "list_schedules.thread_id": lambda world: world.thread_id,
    "list_webhooks.user_id": lambda world: world.viewer_id,
    "search.thread_id": lambda world: world.thread_id,
    "search.author_id": lambda world: world.alice_id,
    "list_readers.message_id": lambda world: world.message_id,
    "explain_access.api_key_id": lambda world: world.key_id,
    "list_audit.actor_id": lambda world: world.alice_id,
    "list_holds.target_id": lambda world: world.held_id,
    "add_hold.target_id": lambda world: world.held_id,
    "list_audit.target_id": lambda world: world.viewer_id,
    "list_connections.user_id": lambda world: world.alice_id,
    "list_all_sessions.user_id": lambda world: world.alice_id,
    "trace_thread.user_id": lambda world: world.viewer_id,
}
"""`operation.field` → what it names there."""
IN_A_MESSAGE = ("block_id", "action_id")
"""Names of parts of the message itself: nobody else has them."""
IN_ONES_OWN = frozenset(
    {
        "add_member.user_id",
        "create_artifact.id",
        "create_message.id",
        "create_message.parent_id",
        "list_readers.message_id",
    }
)
"""Lines in which everybody asks about a thread of their own, into which they bring the id."""


@dataclass(frozen=True)
class Asked:
    """A good request."""

    path: str
    parameters: Mapping[str, str]
    """Of the path."""
    fields: Mapping[str, Any]
    """Of the query or the body."""


@dataclass(frozen=True)
class Line:
    name: str
    statuses: Mapping[str, int]
    """Person → HTTP status."""

    @property
    def operation(self) -> Operation:
        return operations.BY_NAME[self.name.partition(".")[0]]

    @property
    def field(self) -> str:
        return self.name.partition(".")[2]

    @property
    def names_something(self) -> bool:
        return bool(self.field or self.operation.path_parameters)

    async def asked(self, world: World, who: Client, *, absent: bool = False) -> Asked:
        """About the things of the world, or about what is not there."""
        operation = self.operation
        fields = {**world.body(operation), **({} if operation.has_body else world.query(operation))}
        parameters = world.parameters(operation)
        if self.field:
            fields[self.field] = new_id() if absent else FIELDS[self.name](world)
        elif absent:
            parameters |= {name: new_id() for name in parameters if name not in ("emoji", "user_id")}
        if self.name in IN_ONES_OWN:
            has_none = isinstance(who, Nobody | Keyed)
            parameters["thread_id"] = (await (world.alice if has_none else who).thread())["id"]
        return Asked(world.path(operation, **parameters), parameters, fields)


def _lines() -> Iterator[Line]:
    people, *rows = (row.split() for row in TABLE.strip().splitlines())
    assert tuple(people) == PEOPLE
    for name, *statuses in rows:
        yield Line(name, dict(zip(people, map(int, statuses), strict=True)))


LINES = tuple(_lines())


def fields_with_ids(operation: Operation) -> set[str]:
    """Fields of a query or a body in which somebody or something can be named, also further down."""
    return {
        name
        for name, field in operation.request.model_fields.items()
        if name not in (*operation.path_parameters, *IN_A_MESSAGE) and _names_something(name, field.annotation)
    }


def _names_something(name: str, annotation: Any) -> bool:
    if name == "id" or name.endswith("_id"):
        return True
    models = [inner for inner in get_args(annotation) if isinstance(inner, type) and issubclass(inner, BaseModel)]
    return any(_names_something(*item) for model in models for item in _annotations(model))


def _annotations(model: type[BaseModel]) -> Iterator[tuple[str, Any]]:
    return ((name, field.annotation) for name, field in model.model_fields.items())
