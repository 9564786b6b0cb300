"""A client's copy of a thread, kept up to date by events alone, as the documentation tells clients to do it."""

from typing import Any

from tests.serving import Client

Json = dict[str, Any]


class Mirror:
    """`await Mirror.of(alice, thread_id)` fetches the state; `apply` moves it on by one event."""

    def __init__(self, thread: Json, messages: list[Json], members: list[Json]) -> None:
        self.thread = thread
        self.messages = {message["id"]: message for message in messages}
        self.members = {member["user"]["id"]: member for member in members}
        self.memory: Json = {"memory": thread["memory"], "version": thread["memory_version"]}
        self.offset: int = thread["offset"]

    @classmethod
    async def of(cls, client: Client, thread_id: str) -> "Mirror":
        """The thread first: what is read after it is at least as new, and events are applied again without harm."""
        url = f"/api/v1/threads/{thread_id}"
        thread = (await client.get(url)).data
        messages = (await client.get(f"{url}/messages", limit="100")).data
        return cls(thread, messages, (await client.get(f"{url}/members", limit="100")).data)

    def apply(self, event: Json) -> None:
        data, kind = event["data"], event["type"]
        if kind.startswith("message."):
            self._message(event, data)
        elif kind.startswith("reaction."):
            self._reaction(kind, data)
        elif kind == "read.updated":
            self._read(data["user"]["id"], data["last_read_offset"])
        elif kind == "memory.updated":
            if data["version"] >= self.memory["version"]:
                self.memory = data
        elif kind == "control.changed":
            self.thread = {**self.thread, "control": data["control"]}
        elif kind.startswith("member."):
            self._member(data)
        elif data["offset"] >= self.thread["offset"]:  # it may be newer than its event, never older
            self.thread = data
        self.offset = event["offset"]

    def _message(self, event: Json, message: Json) -> None:
        known = self.messages.get(message["id"])
        if known is None or message["version"] >= known["version"]:
            self.messages[message["id"]] = message
        if event["type"] == "message.created":
            self._read(message["author"]["id"], event["offset"])
            if event["offset"] > self.thread["offset"]:
                count = self.thread["message_count"] + 1
                self.thread = {**self.thread, "message_count": count, "offset": event["offset"]}

    def _reaction(self, kind: str, change: Json) -> None:
        message = self.messages[change["message_id"]]
        groups = {group["emoji"]: group for group in message["reactions"]}
        group = groups.setdefault(change["emoji"], {"emoji": change["emoji"], "users": []})
        others = [user for user in group["users"] if user["id"] != change["user"]["id"]]
        group["users"] = [*others, change["user"]] if kind == "reaction.added" else others
        group["count"] = change["count"]
        shown = [group for group in groups.values() if group["count"]] if message["deleted_at"] is None else []
        self.messages[message["id"]] = {**message, "reactions": shown}

    def _read(self, user_id: str, offset: int) -> None:
        member = self.members.get(user_id)
        if member is not None:
            self.members[user_id] = {**member, "last_read_offset": max(offset, member["last_read_offset"])}

    def _member(self, member: Json) -> None:
        if "role" in member:
            self.members[member["user"]["id"]] = member
        else:
            self.members.pop(member["user"]["id"], None)

    def shown(self) -> Json:
        """What two mirrors of the same state have in common."""
        return {
            "thread": {name: self.thread[name] for name in ("title", "status", "control", "message_count", "version")},
            "memory": self.memory,
            "messages": {
                key: (m["content"], m["version"], m["deleted_at"] is None, _reactions(m))
                for key, m in self.messages.items()
            },
            "members": {key: (m["role"], m["last_read_offset"]) for key, m in self.members.items()},
        }


def _reactions(message: Json) -> dict[str, Any]:
    return {g["emoji"]: (g["count"], {user["id"] for user in g["users"]}) for g in message["reactions"]}
