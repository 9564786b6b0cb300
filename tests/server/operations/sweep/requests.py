"""What sweeps over all operations send: for each operation a good request, and what others are answered.

A new operation has to be given its lines here; `test_nothing_is_forgotten` says so.
"""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from actors.identifiers import new_id
from actors.resources.actions import OptionsRequest, Subject
from actors.resources.users import GetUser
from actors.users.option_requests import OptionRequests
from server.api import operations
from server.api.registry import Operation
from server.http.problems import slug
from tests.files import stored_file
from tests.realtime_client import raw_client
from tests.server.files.uploading import sha256
from tests.serving import Answer, Client, Server

WITHOUT_A_PROVIDER = frozenset({"ask_for_link", "begin_oauth", "finish_oauth", "verify_mailbox"})
"""What is not there on a server without an identity provider or a mail server; tests of theirs have one."""
SWEPT = tuple(operation for operation in operations.ALL if operation.name not in WITHOUT_A_PROVIDER)


def every(*chosen: Operation) -> pytest.MarkDecorator:
    """One test for each operation."""
    return pytest.mark.parametrize("operation", chosen or SWEPT, ids=lambda operation: operation.name)


CLOSED = tuple(operation for operation in SWEPT if operation.access in ("user", "admin"))
WITH_BODY = tuple(operation for operation in SWEPT if operation.has_body)
WITHOUT_BODY = tuple(operation for operation in SWEPT if not operation.has_body)
READS = tuple(operation for operation in SWEPT if "GET" in operation.methods)
POSTS = tuple(operation for operation in SWEPT if "POST" in operation.methods)
PATCHES = tuple(operation for operation in SWEPT if "PATCH" in operation.methods)
PAGED = tuple(operation for operation in SWEPT if operation.paged)

PASSWORD = "a password of the tests"
DIRECT = b"bytes"
"""Of a direct upload."""
SOON = (datetime.now(UTC) + timedelta(days=30)).isoformat(timespec="seconds")
SUBSCRIPTION = {
    "endpoint": "https://push.invalid/1",
    "keys": {
        "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "auth": "BTBZMqHH6r4Tts7J_aSIgg",
    },
}
BODIES: Mapping[str, dict[str, Any]] = {
    "update_me": {"name": "Alice"}, "create_user": {"name": "X"}, "update_user": {"name": "X"},
    "create_thread": {"title": "Mine"}, "update_thread": {"title": "Changed"}, "mark_read": {}, "add_member": {},
    "update_member": {"role": "MEMBER"}, "create_message": {"content": "x"}, "update_message": {"content": "changed"},
    "acknowledge_message": {},
    "toggle_reaction": {"emoji": "👍"}, "add_reaction": {}, "replace_memory": {"memory": {"summary": "x"}},
    "update_memory": {"memory": {"facts": ["x"]}}, "hand_over": {"control": "human"}, "set_typing": {},
    "set_status": {},
    "append_to_message": {"text": "more"}, "complete_message": {}, "fail_message": {}, "cancel_message": {},
    "validate_blocks": {"blocks": []}, "create_action": {"block_id": "deploy", "action_id": "yes"}, "answer_action": {},
    "find_options": {"block_id": "deploy", "action_id": "where"}, "answer_options": {"options": []},
    "create_artifact_action": {"block_id": "deploy", "action_id": "yes"},
    "find_artifact_options": {"block_id": "deploy", "action_id": "where"},
    "explain_access": {"operation": "create_thread"},
    "login": {"password": PASSWORD}, "refresh_session": {}, "logout": {},
    "set_password": {"current_password": PASSWORD, "new_password": PASSWORD}, "create_api_key": {"name": "Mine"},
    "read_notification": {}, "read_all_notifications": {}, "update_preferences": {"notify": "mentions"},
    "update_thread_preferences": {"notify": "none"}, "mark_unread": {"offset": 2},
    "create_file": {"name": "x.txt"}, "update_file": {"name": "x.txt"}, "restore_file_version": {}, "sign_file": {},
    "batch_files": {"action": "delete"}, "begin_upload": {"size": 5}, "complete_upload": {"sha256": sha256(DIRECT)},
    "create_artifact": {"type": "INSIGHT", "title": "x", "content": {"summary": "x"}},
    "update_artifact": {"title": "changed"}, "validate_artifact": {"type": "PDF", "content": "x"},
    "create_webhook": {"url": "https://receiver.invalid/hook", "events": ["message.created"]},
    "update_webhook": {"name": "Changed"}, "rotate_webhook_secret": {}, "test_webhook": {}, "replay_deliveries": {},
    "restore_artifact_version": {"label": "again"}, "share_artifact": {},
    "create_proposal": {"patch": [{"op": "replace", "path": "", "value": "Other text."}]}, "accept_proposal": {},
    "reject_proposal": {}, "withdraw_proposal": {},
    "create_comment": {"content": "Really?"}, "update_comment": {"resolved": True},
    "open_artifact_stream": {}, "append_to_artifact": {"text": "More."}, "complete_artifact_stream": {},
    "cancel_artifact_stream": {},
    "replace_artifact_data": {"columns": ["a"], "rows": [[1]]}, "append_artifact_data": {"rows": [[2]]},
    "create_artifact_export": {"format": "json"}, "create_thread_export": {"format": "json"},
    "set_log_level": {"level": None}, "subscribe_to_push": SUBSCRIPTION, "test_push_subscription": {},
    "create_schedule": {"kind": "reminder", "content": "x", "at": SOON}, "update_schedule": {"content": "changed"},
    "create_user_legacy": {"name": "X"}, "create_sign_in_link": {}, "revoke_token": {"jti": "stolen"},
    "add_hold": {"kind": "thread", "reason": "case 2026-17"},
}  # fmt: skip
"""Operation → a good body; `World.body` adds ids, addresses and secrets."""

BUTTON = {
    "type": "actions", "block_id": "deploy",
    "elements": [
        {"type": "button", "action_id": "yes", "text": {"type": "plain_text", "text": "Yes"}},
        {"type": "external_select", "action_id": "where"},
    ],
}  # fmt: skip
ACTING = frozenset({"create_action", "find_options"})
"""Who acts on a message is another person than its author."""
ACTING_ON_ARTIFACTS = frozenset({"create_artifact_action", "find_artifact_options", "list_artifact_actions"})
QUERIES: Mapping[str, dict[str, str]] = {
    "search": {"q": "Hello"}, "compare_artifact_versions": {"older": "1"},
}  # fmt: skip
"""Operation without a body → what it cannot do without."""

FREE_TEXTS = frozenset(
    {
        ("search", "q"),
        ("list_audit", "target_id"),
        ("list_audit", "action"),
        ("list_users", "q"),
        ("list_users_legacy", "q"),
        ("list_files", "name"),
        ("list_files", "q"),
        ("list_artifacts", "q"),
        ("list_thread_artifacts", "q"),
    }
)
"""(operation, parameter) of which any text makes sense."""

NOT_KEPT: Mapping[str, str] = {
    "login": "nobody is signed in whose key it could be", "refresh_session": "nobody is signed in",
    "logout": "the second time nobody is signed in", "set_password": "the second time the password is another one",
    "create_sign_in_link": "a secret that is shown once is stored nowhere",
    "find_options": "it writes nothing", "find_artifact_options": "it writes nothing",
    "answer_options": "the second time nobody waits for it",
    "test_push_subscription": "each is sent at once, and nothing is written",
    "validate_blocks": "it writes nothing", "validate_artifact": "it writes nothing",
    "create_artifact_export": "exports keep keys of their own: tests/server/exports/test_jobs.py",
    "create_thread_export": "exports keep keys of their own",
    "sign_file": "a URL is made, and nothing is written",
    "complete_upload": "a second time it answers the same",
    "batch_files": "deleting twice, or moving to the same place, changes nothing",
    "append_to_message": "its `index` makes a retry no second text", "set_typing": "it is so now, or not",
    "set_status": "it is so now, or not", "explain_access": "a question about now",
}  # fmt: skip
"""POSTs whose outcome no key keeps → why."""

UNVERSIONED = frozenset({
    "list_revisions", "verify_credential", "export_user", "get_info", "get_presence", "get_status", "get_summary",
    "trace_user", "get_storage_use", "get_file_version", "get_errors", "get_log_level", "get_server_status",
    "compare_artifact_versions", "get_artifact_document",
    "list_artifact_shares", "list_artifact_data", "list_exports", "get_export", "get_push_key", "get_mailbox",
    "list_push_subscriptions",
    "trace_thread", "get_notification", "count_notifications", "get_unread", "get_thread_preferences",
})  # fmt: skip
"""GETs of one answer that tell how things are, which has no version."""


@dataclass
class World:
    """A thread of alice's with a viewer and a message in it, and people who have things of their own."""

    server: Server
    alice: Client
    bob: Client
    viewer: Client
    root: Client
    viewer_id: str
    alice_id: str
    bob_id: str
    thread_id: str
    message_id: str
    file_id: str
    """Alice's, in the thread."""
    artifact_id: str
    """The same."""
    doomed_artifact_id: str = field(default="", kw_only=True)
    """For `delete_artifact`: what hangs on the other one stays."""
    open: AsyncExitStack
    """Closes what was opened for a test."""
    session_id: str = field(default_factory=new_id)
    refresh_token: str = ""
    key_id: str = field(default_factory=new_id)
    connection_id: str = field(default_factory=new_id)
    streaming_id: str = field(default_factory=new_id)
    notification_id: str = field(default_factory=new_id)
    share_id: str = field(default_factory=new_id)
    proposal_id: str = ""
    comment_id: str = ""
    stream_id: str = ""
    upload_id: str = field(default_factory=new_id)
    upload_file_id: str = ""
    """The file that the upload is for."""
    offered_id: str = field(default_factory=new_id)
    """A message of another person's with a button: alice may act on it, but not on her own."""
    offered_artifact_id: str = ""
    """An artifact like that."""
    asking_id: str = ""
    """A message of another person's that asks all in the thread to acknowledge it."""
    action_id: str = ""
    option_request_id: str = field(default_factory=new_id)
    webhook_id: str = ""
    schedule_id: str = ""
    subscription_id: str = ""
    export_id: str = ""
    held_id: str = ""
    """A thread of its own, because what is under a legal hold cannot be deleted."""
    hold_id: str = ""

    async def prepare(self, operation: Operation) -> None:
        """Make anew what a good request uses up."""
        if "/sessions/" in operation.path or operation.name == "refresh_session":
            signed_in = await self.sign_in()
            self.session_id, self.refresh_token = signed_in["session_id"], signed_in["refresh_token"]
        await self.prepare_own(operation)
        await self.prepare_hold(operation)
        if "/connections/" in operation.path:
            self.connection_id = await self.connect()
        has_acted = self.offered_artifact_id if operation.name in ACTING_ON_ARTIFACTS else self.action_id
        if operation.tag == "actions" and not (operation in READS and has_acted):
            await self.prepare_action(operation)
        if operation.tag == "acknowledgements" and not (operation in READS and self.asking_id):
            await self.ask_to_acknowledge()
        if operation.name in ("delete_file", "batch_files"):
            self.file_id = (await stored_file(self.server, self.alice_id, self.thread_id)).id
        if operation.name == "complete_upload":
            self.upload_id, self.upload_file_id = await self.upload(), self.file_id
        if "/exports/{" in operation.path:
            made = await self.alice.post(f"/api/v1/threads/{self.thread_id}/exports", format="json")
            self.export_id = made.data["id"]
        if operation.tag == "artifacts":
            await self._prepare_artifact(operation)
        if is_of_streams(operation):
            await self.alice.post(f"/api/v1/messages/{self.streaming_id}/cancel")  # only so many at once
            self.streaming_id = (await self.alice.say(self.thread_id, status="STREAMING"))["id"]

    async def prepare_own(self, operation: Operation) -> None:
        """What belongs to the viewer alone."""
        if "/api-keys/" in operation.path:
            self.key_id = (await self.viewer.post("/api/v1/auth/api-keys", name="A key")).data["id"]
        if "/webhooks/" in operation.path and (operation.name == "delete_webhook" or not self.webhook_id):
            made = await self.viewer.post("/api/v1/webhooks", **BODIES["create_webhook"])
            self.webhook_id = made.data["id"]
        if "/subscriptions/{" in operation.path:
            endpoint = f"https://push.invalid/{new_id()}"
            made = await self.viewer.post("/api/v1/push/subscriptions", **{**SUBSCRIPTION, "endpoint": endpoint})
            self.subscription_id = made.data["id"]
        if "/schedules/" in operation.path and (operation.name != "get_schedule" or not self.schedule_id):
            made = await self.viewer.post("/api/v1/schedules", **BODIES["create_schedule"])
            self.schedule_id = made.data["id"]
        if "/notifications/" in operation.path:
            await self.alice.thread(members=[{"user_id": self.viewer_id, "role": "VIEWER"}])
            self.notification_id = (await self.viewer.get("/api/v1/notifications", limit="1")).data[0]["id"]

    async def prepare_hold(self, operation: Operation) -> None:
        if operation.tag != "holds":
            return
        self.held_id = (await self.server.client("held").thread())["id"]
        if operation.name != "add_hold":
            body = {**BODIES["add_hold"], "target_id": self.held_id}
            self.hold_id = (await self.root.post("/api/v1/admin/holds", **body)).data["id"]

    async def ask_to_acknowledge(self) -> None:
        asking = await (await self.other()).say(self.thread_id, "Read this.", acknowledgement={})
        self.asking_id = asking["id"]

    async def other(self) -> Client:
        """Another member of the thread."""
        other = self.server.client("other-of-actions")
        await self.alice.post(f"/api/v1/threads/{self.thread_id}/members", user_id=(await other.me())["id"])
        return other

    async def prepare_action(self, operation: Operation) -> None:
        """A message with a button: another's, because nobody acts on their own; or alice's, on which another acted."""
        other = await self.other()
        if operation.name == "answer_options":
            await self.wait_for_options()
        if operation.name in ACTING:
            self.offered_id = (await other.say(self.thread_id, blocks=[BUTTON]))["id"]
        elif operation.name in ACTING_ON_ARTIFACTS:
            await self.offer_artifact(other)
        else:
            self.message_id = (await self.alice.say(self.thread_id, blocks=[BUTTON]))["id"]
            await self.act(other)

    async def offer_artifact(self, other: Client) -> None:
        """One with a button, on which alice has acted."""
        self.offered_artifact_id = await artifact_of(other, self.thread_id, {"sections": [], "blocks": [BUTTON]})
        await self.act_on_artifact()

    async def act_on_artifact(self) -> None:
        path = f"/api/v1/artifacts/{self.offered_artifact_id}/actions"
        assert (await self.alice.post(path, **BODIES["create_artifact_action"])).status == 201

    async def wait_for_options(self) -> None:
        """As if a person had typed into a select of a message of alice's."""
        services = self.server.services
        alice = (await services.ask(GetUser(self.alice_id))).author
        subject = Subject("message", self.message_id)
        request = OptionsRequest(new_id(), self.thread_id, subject, "{}", alice, alice, "deploy", "where", "")
        services.option_requests = OptionRequests()
        services.option_requests.open(request)
        self.option_request_id = request.id

    async def act(self, who: Client) -> None:
        acted = await who.post(f"/api/v1/messages/{self.message_id}/actions", **BODIES["create_action"])
        self.action_id = acted.data["id"]

    async def _prepare_artifact(self, operation: Operation) -> None:
        if operation.name.endswith("artifact_data"):
            path = f"/api/v1/artifacts/{self.artifact_id}/data/sales"
            if (await self.alice.get(path)).status == 404:
                await self.alice.put(path, columns=["a"], rows=[[1]])
        if operation.name == "revoke_artifact_share":
            made = await self.alice.post(f"/api/v1/artifacts/{self.artifact_id}/shares")
            self.share_id = made.data["id"]
        if "proposal_id" in operation.path_parameters and not (operation in READS and self.proposal_id):
            await self._propose()
        if operation.name == "delete_comment" or ("_comment" in operation.name and not self.comment_id):
            self.comment_id = await self._comment()
        if "/streams" in operation.path and not (operation in READS and self.stream_id):
            await self._stream(operation)
        if operation.name == "delete_artifact":
            self.doomed_artifact_id = await artifact_of(self.alice, self.thread_id)

    async def _propose(self) -> None:
        patch = [{"op": "replace", "path": "", "value": f"Proposed {new_id()}"}]
        made = await self.alice.post(f"/api/v1/artifacts/{self.artifact_id}/proposals", patch=patch)
        if made.status == 409:  # too many of this artifact are open
            self.artifact_id = await artifact_of(self.alice, self.thread_id)
            made = await self.alice.post(f"/api/v1/artifacts/{self.artifact_id}/proposals", patch=patch)
        self.proposal_id = made.data["id"]

    async def _stream(self, operation: Operation) -> None:
        url = await self.stop_streams()
        if operation.name != "open_artifact_stream":
            self.stream_id = (await self.alice.post(url)).data["id"]

    async def stop_streams(self) -> str:
        """One at a time writes a text. Answers where they are."""
        url = f"/api/v1/artifacts/{self.artifact_id}/streams"
        for stream in (await self.alice.get(url, status="STREAMING")).data:
            await self.alice.post(f"{url}/{stream['id']}/cancel")
        return url

    async def _comment(self) -> str:
        made = await self.alice.post(f"/api/v1/artifacts/{self.artifact_id}/comments", **BODIES["create_comment"])
        return str(made.data["id"])

    async def sign_in(self, user_id: str = "") -> Any:
        """A session, alice's unless it says whose; by a link, because a password takes its time."""
        made = await self.root.post(f"/api/v1/admin/users/{user_id or self.alice_id}/sign-in-link")
        return (await self.alice.post("/api/v1/auth/login", link=made.data["link"])).data

    async def upload(self) -> str:
        """A direct upload of alice's, whose bytes have come."""
        begun = (await self.alice.post(f"/api/v1/files/{self.file_id}/direct", size=len(DIRECT))).data
        async with self.server.session.put(self.server.url + begun["url"], data=DIRECT) as answer:
            assert answer.status == 204
        return str(begun["id"])

    async def connect(self) -> str:
        """A connection of alice's."""
        client = await self.open.enter_async_context(raw_client(self.server.session, self.server.websocket_url))
        connected: str = (await client.connect(self.alice.token))["client"]
        return connected

    def ids(self, operation: Operation) -> dict[str, str]:
        """Part of a path → the id that comes after it."""
        return {
            "threads": self.thread_id, "messages": self.message_of(operation),
            "users": self.viewer_id, "members": self.viewer_id, "reactions": "👍", "sessions": self.session_id,
            "api-keys": self.key_id, "connections": self.connection_id, "notifications": self.notification_id,
            "files": self.file_of(operation), "artifacts": self.artifact_for(operation), "versions": "1",
            "option-requests": self.option_request_id,
            "webhooks": self.webhook_id or new_id(), "schedules": self.schedule_id or new_id(),
            "subscriptions": self.subscription_id or new_id(),
            "actions": self.action_id or new_id(), "shares": self.share_id, "data": "sales",
            "proposals": self.proposal_id or new_id(), "comments": self.comment_id or new_id(),
            "streams": self.stream_id or new_id(),
            "exports": self.export_id or new_id(), "holds": self.hold_id or new_id(),
        }  # fmt: skip

    def message_of(self, operation: Operation) -> str:
        if operation.name in ACTING:
            return self.offered_id
        if operation.tag == "acknowledgements":
            return self.asking_id or self.message_id
        return self.streaming_id if is_of_streams(operation) else self.message_id

    def artifact_for(self, operation: Operation) -> str:
        if operation.name in ACTING_ON_ARTIFACTS:
            return self.offered_artifact_id or self.artifact_id
        return (operation.name == "delete_artifact" and self.doomed_artifact_id) or self.artifact_id

    def file_of(self, operation: Operation) -> str:
        return (operation.name == "complete_upload" and self.upload_file_id) or self.file_id

    def parameters(self, operation: Operation) -> dict[str, str]:
        """Of the path."""
        ids, parts = self.ids(operation), operation.path.split("/")
        return {part[1:-1]: ids[before] for before, part in pairwise(parts) if part.startswith("{")}

    def query(self, operation: Operation) -> dict[str, str]:
        return QUERIES.get(operation.name, {})

    def path(self, operation: Operation, **others: str) -> str:
        path = operation.path
        for name, value in {**self.parameters(operation), **others}.items():
            path = path.replace(f"{{{name}}}", value)
        return path

    def absent_path(self, operation: Operation) -> str:
        """The same, of things that are not there."""
        names = [name for name in operation.path_parameters if name not in ("emoji", "user_id", "number")]
        return self.path(operation, **dict.fromkeys(names, new_id()))

    def body(self, operation: Operation) -> dict[str, Any]:
        more: dict[str, Any] = {}
        match operation.name:
            case "create_user" | "create_user_legacy":
                more = {"email": f"{new_id()}@example.com"}
            case "add_member":
                more = {"user_id": self.bob_id}
            case "login":
                more = {"email": "alice@rpotential.ai"}
            case "add_hold":
                more = {"target_id": self.held_id}
            case "batch_files":
                more = {"ids": [self.file_id]}
            case "complete_upload":
                more = {"upload_id": self.upload_id}
            case "refresh_session":
                more = {"refresh_token": self.refresh_token}
        return {**BODIES.get(operation.name, {}), **more} if operation.has_body else {}

    def owner(self, operation: Operation) -> Client:
        """Whose thing a good request is about."""
        of_the_viewers = any(
            part in operation.path
            for part in ("/users/{", "/api-keys", "/notifications/{", "/webhooks", "/schedules", "/push/")
        )
        return self.viewer if of_the_viewers else self.alice

    def who_may(self, operation: Operation) -> Client:
        """Somebody whose good request succeeds."""
        if operation.access == "admin" or (operation.tag == "users" and operation.access != "open"):
            return self.root
        is_the_viewers = operation.tag in ("api-keys", "notifications", "webhooks", "schedules", "push")
        return self.viewer if is_the_viewers else self.alice

    async def send(
        self,
        client: Client,
        operation: Operation,
        *,
        method: str = "",
        path: str = "",
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """The operation's good request, or another one of it."""
        if not path and body is None:
            await self.prepare(operation)
        sent = self.body(operation) if body is None else body
        asked = self.query(operation) if query is None else query
        options: dict[str, Any] = {"json": sent} if operation.has_body else {"params": asked}
        url = path or self.path(operation)
        who = client.again() if operation.name == "logout" else client
        return await who.request(method or operation.methods[0], url, headers=headers, **options)


@dataclass(frozen=True)
class Hosts:
    """Those who are the same in every world, and their ids."""

    server: Server
    alice: Client
    bob: Client
    root: Client
    alice_id: str
    bob_id: str


async def hosts_of(server: Server, alice: Client, bob: Client, root: Client) -> Hosts:
    return Hosts(server, alice, bob, root, (await alice.me())["id"], (await bob.me())["id"])


async def world_of(hosts: Hosts, opened: AsyncExitStack, others: Sequence[dict[str, str]] = ()) -> World:
    """A new one; `others` are members of its thread, too."""
    viewer = hosts.server.client(f"viewer-{new_id()}")
    viewer_id = (await viewer.me())["id"]
    thread = await hosts.alice.thread(members=[{"user_id": viewer_id, "role": "VIEWER"}, *others])
    message = await hosts.alice.say(thread)
    file = await stored_file(hosts.server, hosts.alice_id, thread["id"])
    artifact_id = await artifact_of(hosts.alice, thread["id"])
    return World(
        hosts.server, hosts.alice, hosts.bob, viewer, hosts.root, viewer_id, hosts.alice_id, hosts.bob_id,
        thread["id"], message["id"], file.id, artifact_id, opened,
    )  # fmt: skip


async def artifact_of(client: Client, thread_id: str, content: Any = "Some *text*.") -> str:
    made = await client.post(
        f"/api/v1/threads/{thread_id}/artifacts", type="REPORT", title="A report", content=content
    )  # fmt: skip
    assert made.status == 201, made.raw
    return str(made.data["id"])


def is_of_streams(operation: Operation) -> bool:
    """Whether it is about a message that is being written."""
    return operation.handler.__module__ == "server.resources.message_streams.operations"


def check_problem(answer: Answer, *statuses: int) -> dict[str, Any]:
    """A failure looks like one, all over."""
    assert answer.status in statuses, answer.raw
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json.keys() == {"success", "error"}
    error: dict[str, Any] = answer.error
    assert error.keys() == {
        "type", "title", "status", "detail", "errors", "code", "retryable", "timestamp", "trace_id", "correlation_id",
    }  # fmt: skip
    assert error["status"] == answer.status
    assert error["trace_id"] == error["correlation_id"] == answer.headers["X-Correlation-ID"]
    assert error["type"].endswith("/" + slug(error["code"]))
    assert (answer.status == 401) == ("WWW-Authenticate" in answer.headers)
    assert (answer.status == 405) == ("Allow" in answer.headers)
    assert bool(error["errors"]) <= (error["code"] == "validation_failed")
    return error
