"""What is one's own, kept up to date by the own log alone: threads, notifications, actions, markers and so on."""

from typing import Any

from tests.serving import Client

Json = dict[str, Any]


class OwnState:
    """`await OwnState.of(bob)` fetches it; `apply` moves it on by one entry. Entries may be newer than they say."""

    def __init__(self, offset: int) -> None:
        self.offset = offset
        self.threads: set[str] = set()
        self.read: dict[str, bool] = {}
        """Notification → whether it was read."""
        self.where: dict[str, str] = {}
        """Notification → thread."""
        self.actions: dict[str, Json] = {}
        """On one's messages, and one's own."""
        self.schedules: dict[str, Json] = {}
        self.left: set[str] = set()
        """Threads: where one comes back, what was there is fetched."""
        self.markers: dict[str, int] = {}
        self.preferences: Json = {}
        self.notify: dict[str, str | None] = {}
        self.name = ""
        self.types: set[str] = set()

    @classmethod
    async def of(cls, client: Client) -> "OwnState":
        """The log first: what is read after it is at least as new."""
        state = cls((await client.get("/api/v1/users/me/log", limit="1")).metadata["offset"])
        me = await client.me()
        state.name = me["name"]
        for thread in (await client.get("/api/v1/threads", limit="100")).data:
            uid = thread["id"]
            state.threads.add(uid)
            state.markers[uid] = thread["membership"]["last_read_offset"]
            state.notify[uid] = (await client.get(f"/api/v1/threads/{uid}/preferences")).data["notify"]
        for notification in (await client.get("/api/v1/notifications", limit="100")).data:
            state._notified(notification)
        for role in ("author", "user"):
            for action in (await client.get("/api/v1/actions", role=role, limit="100")).data:
                state._action_created(action)
        for schedule in (await client.get("/api/v1/schedules", limit="100")).data:
            state._schedule_updated(schedule)
        state.preferences = (await client.get("/api/v1/users/me/preferences")).data
        return state

    def apply(self, entry: Json) -> None:
        assert entry["offset"] == self.offset + 1, "a gap, or a repeat"
        self.offset = entry["offset"]
        self.types.add(entry["type"])
        getattr(self, "_" + entry["type"].replace(".", "_"))(entry["data"])

    def _notified(self, notification: Json) -> None:
        self.read[notification["id"]] = notification["read_at"] is not None
        self.where[notification["id"]] = notification["thread_id"]

    def _notification_created(self, data: Json) -> None:
        if "kind" in data:  # one that is gone has left its id
            self._notified(data)

    def _notification_read(self, data: Json) -> None:
        if data["id"] in self.read:
            self.read[data["id"]] = True

    def _notifications_read_all(self, data: Json) -> None:
        self.read = dict.fromkeys(self.read, True)

    def _notification_cancelled(self, data: Json) -> None:
        for uid in self.read.keys() & set(data["ids"]):
            if data["reason"] == "read":
                self.read[uid] = True
            else:
                del self.read[uid]

    def _thread_joined(self, data: Json) -> None:
        self.threads.add(data["thread_id"])

    def _thread_left(self, data: Json) -> None:
        uid = data["thread_id"]
        self.threads.discard(uid)
        self.markers.pop(uid, None)
        self.notify.pop(uid, None)
        self.read = {each: is_read for each, is_read in self.read.items() if self.where[each] != uid}
        self.actions = {each: action for each, action in self.actions.items() if action["thread_id"] != uid}
        self.left.add(uid)

    def _action_created(self, data: Json) -> None:
        if "status" in data:  # one that is gone has left its id
            people = ("author", "user")  # names change, and are told elsewhere
            self.actions[data["id"]] = {name: value for name, value in data.items() if name not in people}

    _action_updated = _action_created

    def _actions_deleted(self, data: Json) -> None:
        kind = "message_id" if data["message_id"] else "artifact_id"
        self.actions = {each: action for each, action in self.actions.items() if action[kind] != data[kind]}

    def _form_expired(self, data: Json) -> None:
        """It changes nothing: the message says itself when its form closes."""

    def _schedule_updated(self, data: Json) -> None:
        if "status" in data:  # one that is gone has left its id
            self.schedules[data["id"]] = data

    def _thread_read(self, data: Json) -> None:
        self.markers[data["thread_id"]] = data["last_read_offset"]

    def _preferences_updated(self, data: Json) -> None:
        if "thread_id" in data:
            self.notify[data["thread_id"]] = data["notify"]
        else:
            self.preferences = data

    def _user_updated(self, data: Json) -> None:
        self.name = data["name"]

    def differences(self, fetched: "OwnState") -> Json:
        """From what was fetched. Where a thread was joined since, its marker and choice are fetched with it."""
        wrong = {
            name: (getattr(self, name), getattr(fetched, name))
            for name in ("offset", "threads", "read", "preferences", "name", "schedules")
            if getattr(self, name) != getattr(fetched, name)
        }
        theirs = {uid: action for uid, action in fetched.actions.items() if action["thread_id"] not in self.left}
        if self.actions != theirs:
            wrong["actions"] = (self.actions, theirs)
        for name in ("markers", "notify"):
            mine, theirs = getattr(self, name), getattr(fetched, name)
            if any(theirs[uid] != value for uid, value in mine.items()):
                wrong[name] = (mine, theirs)
        return wrong
