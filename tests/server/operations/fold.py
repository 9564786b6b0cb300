"""The state of a thread, made of its events alone. Strict: all that is shown to everybody, in the same order."""

from collections.abc import Iterable
from typing import Any

from server.resources.artifacts.views import SharedArtifactView
from tests.serving import Client

Json = dict[str, Any]
SHARED_FIELDS = ",".join(SharedArtifactView.model_fields)


class Fold:
    """`Fold(log).state` is what `fetched` would fetch. Messages, members and reactions are kept as the events tell."""

    def __init__(self, events: Iterable[Json] = ()) -> None:
        self.thread: Json = {}
        self.memory: Json = {"memory": {}, "version": 1}
        self.messages: dict[str, Json] = {}
        self.members: dict[str, Json] = {}
        self.files: dict[str, Json] = {}
        self.artifacts: dict[str, Json] = {}
        self.data: dict[str, dict[str, tuple[int, int]]] = {}
        """Artifact → name of a data set → its revision, and how many rows it has."""
        self.proposals: dict[str, Json] = {}
        self.comments: dict[str, Json] = {}
        self.streams: dict[str, Json] = {}
        self.actions: dict[str, Json] = {}
        self.reactions: list[tuple[str, str, str]] = []
        """(message, emoji, user), in the order given."""
        self.offset = 0
        for event in events:
            self.apply(event)

    def begin(self, state: Json) -> "Fold":
        """Go on from a state that was fetched."""
        self.thread, self.offset = state["thread"], state["thread"]["offset"]
        self.memory = state["memory"]
        self.messages = {message["id"]: message for message in state["messages"]}
        self.members = {member["user"]["id"]: member for member in state["members"]}
        self.files = {file["id"]: file for file in state["files"]}
        self.artifacts = {artifact["id"]: artifact for artifact in state["artifacts"]}
        self.data = _revisions(state)
        self.proposals = {proposal["id"]: proposal for proposal in state["proposals"]}
        self.comments = {comment["id"]: comment for comment in state["comments"]}
        self.streams = {stream["id"]: stream for stream in state["streams"]}
        self.actions = {action["id"]: action for action in state["actions"]}
        self.reactions = [(m, r["emoji"], r["user"]["id"]) for m, rs in state["reactions"].items() for r in rs]
        return self

    def apply(self, event: Json) -> None:
        assert event["offset"] == self.offset + 1, "a gap, or a repeat"
        self.offset = event["offset"]
        getattr(self, "_" + event["type"].replace(".", "_"))(event, event["data"])

    def _thread_created(self, event: Json, thread: Json) -> None:
        self.thread = thread
        # The one entry that says two things: whoever opens a thread is its member, and its owner.
        member = {
            "thread_id": thread["id"], "user": thread["creator"], "role": "OWNER", "last_read_offset": 0,
            "muted": False, "joined_at": event["time"],
        }  # fmt: skip
        self.members[thread["creator"]["id"]] = member

    def _thread_updated(self, event: Json, thread: Json) -> None:
        self.thread = thread

    def _thread_deleted(self, event: Json, thread: Json) -> None:
        assert thread == {"id": self.thread["id"]}
        self.thread = {}

    def _member_added(self, event: Json, member: Json) -> None:
        if "role" in member:
            self.members[member["user"]["id"]] = member
        else:  # who has left since is told as gone
            self.members.pop(member["user"]["id"], None)

    _member_updated = _member_removed = _member_added

    def _message_created(self, event: Json, message: Json) -> None:
        self.messages[message["id"]] = message
        self._read(message["author"]["id"], event["offset"])

    def _message_updated(self, event: Json, message: Json) -> None:
        self.messages[message["id"]] = message

    _message_deleted = _message_completed = _message_updated

    def _control_changed(self, event: Json, change: Json) -> None:
        self.thread = {**self.thread, "control": change["control"]}

    def _message_acknowledged(self, event: Json, change: Json) -> None:
        message = self.messages[change["message_id"]]
        if "acknowledgement" in message:  # it was deleted since
            message["acknowledgement"] = {**message["acknowledgement"], "acknowledged": change["acknowledged"]}

    def _reaction_added(self, event: Json, change: Json) -> None:
        self._reaction_removed(event, change)
        self.reactions.append((change["message_id"], change["emoji"], change["user"]["id"]))

    def _reaction_removed(self, event: Json, change: Json) -> None:
        gone = (change["message_id"], change["emoji"], change["user"]["id"])
        self.reactions = [reaction for reaction in self.reactions if reaction != gone]

    def _read_updated(self, event: Json, change: Json) -> None:
        self._read(change["user"]["id"], change["last_read_offset"])

    def _memory_updated(self, event: Json, memory: Json) -> None:
        self.memory = memory

    def _file_created(self, event: Json, file: Json) -> None:
        if file["status"] == "deleted":
            self._file_deleted(event, file)
            return
        self.files[file["id"]] = file
        for message in self.messages.values():
            message["files"] = [file if shown["id"] == file["id"] else shown for shown in message["files"]]

    _file_updated = _file_attached = _file_preview_ready = _file_created

    def _file_deleted(self, event: Json, file: Json) -> None:
        self.files.pop(file["id"], None)
        for message in self.messages.values():
            message["files"] = [shown for shown in message["files"] if shown["id"] != file["id"]]

    def _artifact_created(self, event: Json, artifact: Json) -> None:
        self.artifacts[artifact["id"]] = artifact
        if artifact["deleted_at"] is not None:
            del self.artifacts[artifact["id"]]
            self.data.pop(artifact["id"], None)
            self.proposals = {k: one for k, one in self.proposals.items() if one["artifact_id"] != artifact["id"]}
            self.comments = {k: one for k, one in self.comments.items() if one["artifact_id"] != artifact["id"]}
            self.streams = {k: one for k, one in self.streams.items() if one["artifact_id"] != artifact["id"]}
            self.actions = {k: one for k, one in self.actions.items() if one["artifact_id"] != artifact["id"]}

    _artifact_updated = _artifact_deleted = _artifact_created

    def _artifact_data_updated(self, event: Json, change: Json) -> None:
        if change["artifact_id"] in self.artifacts:
            sets = self.data.setdefault(change["artifact_id"], {})
            sets[change["name"]] = (change["revision"], change["count"])
            if change["change"] == "deleted":
                del sets[change["name"]]

    def _proposal_created(self, event: Json, proposal: Json) -> None:
        if proposal["artifact_id"] in self.artifacts:
            self.proposals[proposal["id"]] = proposal

    _proposal_updated = _proposal_created

    def _comment_created(self, event: Json, comment: Json) -> None:
        if comment["artifact_id"] in self.artifacts:
            self.comments[comment["id"]] = comment

    _comment_updated = _comment_deleted = _comment_created

    def _artifact_stream_started(self, event: Json, stream: Json) -> None:
        if stream["artifact_id"] in self.artifacts:
            self.streams[stream["id"]] = stream

    _artifact_stream_ended = _artifact_stream_started

    def _artifact_action_created(self, event: Json, action: Json) -> None:
        if "status" in action:  # of one that is gone only ids are left
            self.actions[action["id"]] = action

    _artifact_action_updated = _artifact_action_created

    def _read(self, user_id: str, offset: int) -> None:
        member = self.members.get(user_id)
        if member is not None:
            self.members[user_id] = {**member, "last_read_offset": max(offset, member["last_read_offset"])}

    @property
    def state(self) -> Json:
        messages = sorted(self.messages.values(), key=lambda message: -message["offset"])
        return {
            "thread": {**_shared(self.thread), "offset": self.offset, "message_count": len(messages)},
            "memory": self.memory,
            "messages": [{**message, "reactions": self._groups(message)} for message in messages],
            "members": self.members,
            "files": self.files,
            "artifacts": self.artifacts,
            "data": {artifact: sets for artifact, sets in self.data.items() if sets},
            "proposals": self.proposals,
            "comments": self.comments,
            "streams": self.streams,
            "actions": self.actions,
            "reactions": {m["id"]: [] if m["deleted_at"] else self._of(m) for m in messages},
            "last_message": messages[0]["id"] if messages else None,
        }

    def _of(self, message: Json) -> list[tuple[str, str]]:
        return [(emoji, user) for where, emoji, user in self.reactions if where == message["id"]]

    def _groups(self, message: Json) -> Json:
        groups: Json = {}
        for emoji, user in [] if message["deleted_at"] else self._of(message):
            groups.setdefault(emoji, []).append(user)
        return groups


async def fetched(client: Client, thread_id: str) -> Json:
    """The same by GET, with what is personal left out."""
    path = f"/api/v1/threads/{thread_id}"
    thread = (await client.get(path)).data
    messages = (await client.get(f"{path}/messages", limit="100")).data
    members = (await client.get(f"{path}/members", limit="100")).data
    reactions = {
        m["id"]: (await client.get(f"/api/v1/messages/{m['id']}/reactions", limit="100")).data for m in messages
    }
    memory = (await client.get(f"{path}/memory")).data
    files = (await client.get("/api/v1/files", thread_id=thread_id, limit="100")).data
    artifacts = (await client.get(f"{path}/artifacts", limit="100", fields=SHARED_FIELDS)).data
    data, proposals, said, streams, actions = [
        await _of_artifacts(client, artifacts, what) for what in ("data", "proposals", "comments", "streams", "actions")
    ]
    comments = [{k: v for k, v in comment.items() if k != "place"} for comment in said]
    return {
        "thread": thread, "memory": memory, "messages": messages, "members": members, "reactions": reactions,
        "files": files, "artifacts": artifacts, "data": data, "proposals": proposals,
        "comments": comments, "streams": streams, "actions": actions,
    }  # fmt: skip


async def _of_artifacts(client: Client, artifacts: list[Json], what: str) -> list[Json]:
    """Of one that was deleted meanwhile there is nothing."""
    found: list[Json] = []
    for artifact in artifacts:
        answer = await client.get(
            f"/api/v1/artifacts/{artifact['id']}/{what}", **({} if what == "data" else {"limit": "100"})
        )
        found += [] if answer.status == 404 else answer.data
    return found


def comparable(state: Json) -> Json:
    """What `fetched` gave, in the form of `Fold.state`."""
    last = state["thread"]["last_message"]
    assert last == (state["messages"][0] if state["messages"] else None)
    assert state["memory"] == {"memory": state["thread"]["memory"], "version": state["thread"]["memory_version"]}
    return {
        "thread": _shared(state["thread"]),
        "memory": state["memory"],
        "messages": [{**m, "reactions": _by_emoji(m["reactions"])} for m in state["messages"]],
        "members": {member["user"]["id"]: member for member in state["members"]},
        "files": {file["id"]: file for file in state["files"]},
        "artifacts": {artifact["id"]: artifact for artifact in state["artifacts"]},
        "data": _revisions(state),
        "proposals": {proposal["id"]: proposal for proposal in state["proposals"]},
        "comments": {comment["id"]: comment for comment in state["comments"]},
        "streams": {stream["id"]: stream for stream in state["streams"]},
        "actions": {action["id"]: action for action in state["actions"]},
        "reactions": {m: [(r["emoji"], r["user"]["id"]) for r in rs] for m, rs in state["reactions"].items()},
        "last_message": last and last["id"],
    }


def _shared(thread: Json) -> Json:
    """Without what is personal, its last message, which is one of the messages, and its memory, which is told apart."""
    apart = ("membership", "memory", "memory_version", "last_message")
    return {name: value for name, value in thread.items() if name not in apart}


def _revisions(state: Json) -> dict[str, dict[str, tuple[int, int]]]:
    found: dict[str, dict[str, tuple[int, int]]] = {}
    for one in state["data"]:
        found.setdefault(one["artifact_id"], {})[one["name"]] = (one["revision"], one["count"])
    return found


def _by_emoji(groups: list[Json]) -> Json:
    for group in groups:
        assert group["count"] == len(group["users"])
    return {group["emoji"]: [user["id"] for user in group["users"]] for group in groups}
