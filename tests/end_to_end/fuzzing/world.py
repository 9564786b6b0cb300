"""Things that are there, for requests that name one: made over the API, and made anew when they may be used up."""

import re
from collections.abc import Callable
from typing import Any

import orjson
import requests

from actors.identifiers import new_id
from tests.tokens import token

ID = re.compile(r"c[0-9a-z]{24}")
ADMIN = ("root", "ADMIN")
USES_UP = re.compile(r"/threads/\{id\}$|/(complete|fail|cancel|control)$|/users/\{id\}$")
"""What may close a thread, end a message, or shut somebody out."""


def bearer(name: str, role: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token(name, role=role)}"}


class World:
    def __init__(self, url: str, name: str, role: str) -> None:
        self.url = url
        self.name = name
        self.role = role
        self.cursors: dict[str, str] = {}
        """Path of a list → a cursor that it answered."""
        self._session = requests.Session()
        self._told: set[str] = set()
        self._made_up: set[str] = set()
        self._kept: dict[str, str] = {}
        self._me = ""

    @property
    def me(self) -> str:
        self._me = self._me or self._ask("GET", "/api/v1/users/me")["id"]
        return self._me

    def learn(self, path: str, method: str, sent: str, answer: str) -> None:
        """Ids that an answer told lead somewhere by themselves, unless they were made up by who asks."""
        self._made_up.update(set(ID.findall(sent)) - self._told)
        self._told.update(set(ID.findall(answer)) - self._made_up)
        found = re.search(r'"next_cursor":"([^"]+)"', answer)
        if found:
            self.cursors[path] = found[1]
        if method == "DELETE" or USES_UP.search(path):
            self._kept.clear()

    def knows(self, id_: str, method: str) -> bool:
        """Whether to leave an id as it is. One's own account is spared: without it all that follows would be a 401."""
        return id_ in self._told and (id_ != self.me or method == "GET")

    def restore_log_level(self) -> None:
        """Else the server would log each request of the whole run, as of the first one that asks for `debug`."""
        self._ask("PUT", "/api/v1/admin/log-level", by=ADMIN, level=None)

    def of(self, path: str, name: str) -> str | None:
        """What a parameter should name; None for what cannot be made over the API."""
        if name == "thread_id" or "/threads/{id}" in path:
            return self._thread()
        if re.search(r"/\{id\}/(append|complete|fail|cancel)$", path):
            return self._message("written", status="STREAMING")
        if name == "message_id" or "/messages/{id}" in path:
            return self._message("message", content="x")
        if name == "user_id":
            return self._member()
        if "/users/{id}" in path:
            return self._user() if self.role == "ADMIN" else self.me
        if "/sessions/{id}" in path:
            return self._keep("session", self._session_of_mine)
        if "/api-keys/{id}" in path:
            return self._keep("key", lambda: self._ask("POST", "/api/v1/auth/api-keys", name="x")["id"])
        if "/webhooks/{id}" in path:
            return self._keep("webhook", self._webhook)
        return None

    def _ask(self, method: str, path: str, by: tuple[str, str] | None = None, **body: Any) -> Any:
        headers = bearer(*(by or (self.name, self.role)))
        answer = self._session.request(method, self.url + path, json=body or None, headers=headers, timeout=10)
        assert answer.ok, answer.text
        return orjson.loads(answer.content)["data"]

    def _keep(self, kind: str, make: Callable[[], Any]) -> str:
        if kind not in self._kept:
            self._kept[kind] = make()
        return self._kept[kind]

    def _thread(self) -> str:
        return self._keep("thread", lambda: self._ask("POST", "/api/v1/threads", title="x")["id"])

    def _message(self, kind: str, **body: Any) -> str:
        path = f"/api/v1/threads/{self._thread()}/messages"
        return self._keep(kind, lambda: self._ask("POST", path, **body)["id"])

    def _user(self) -> str:
        body = {"name": "X", "email": f"{new_id()}@rpotential.ai"}
        return self._keep("user", lambda: self._ask("POST", "/api/v1/users", by=ADMIN, **body)["id"])

    def _member(self) -> str:
        path, user_id = f"/api/v1/threads/{self._thread()}/members", self._user()
        self._keep("member", lambda: self._ask("POST", path, user_id=user_id)["user"]["id"])
        return user_id

    def _webhook(self) -> str:
        """One that is there: a user may have only so many."""
        there = self._ask("GET", "/api/v1/webhooks")
        body = {"url": "https://receiver.invalid/", "events": ["message.created"]}
        return str(there[0]["id"] if there else self._ask("POST", "/api/v1/webhooks", **body)["id"])

    def _session_of_mine(self) -> str:
        """Signed in by a link."""
        link = self._ask("POST", f"/api/v1/admin/users/{self.me}/sign-in-link", by=ADMIN)["link"]
        return str(self._ask("POST", "/api/v1/auth/login", link=link)["session_id"])
