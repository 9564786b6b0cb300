"""Sessions for tests: by a link, because a password takes its time."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.serving import Answer, Client, Server

PASSWORD = "correct horse battery staple"


@dataclass
class Device:
    """Where somebody is signed in."""

    client: Client
    """Comes with the session's access token."""
    session_id: str
    refresh_token: str

    async def refresh(self) -> Answer:
        """Trade the refresh token; a new one is kept."""
        answer = await self.client.post("/api/v1/auth/refresh", refresh_token=self.refresh_token)
        if answer.status == 200:
            self.client.token = answer.data["access_token"]
            self.refresh_token = answer.data["refresh_token"]
        return answer

    async def status(self) -> int:
        return (await self.client.get("/api/v1/auth/me")).status


async def new_link(root: Client, user_id: str) -> str:
    """A sign-in link."""
    made = await root.post(f"/api/v1/admin/users/{user_id}/sign-in-link")
    assert made.status == 201, made.raw
    return str(made.data["link"])


async def sign_in(server: Server, root: Client, user_id: str, **more: Any) -> Device:
    """With `new_password` that is set, too."""
    link = await new_link(root, user_id)
    return device_of(server, await nobody(server).post("/api/v1/auth/login", link=link, **more))


def nobody(server: Server) -> Client:
    """A client whose token is none, for what is open to all."""
    client = server.client("nobody")
    client.token = "none"
    return client


def device_of(server: Server, answer: Answer) -> Device:
    assert answer.status == 200, answer.raw
    client = server.client("device")
    client.token = answer.data["access_token"]
    return Device(client, answer.data["session_id"], answer.data["refresh_token"])


def sql(data_dir: Path, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """What another process does to the database."""
    with closing(sqlite3.connect(data_dir / "experience.db", timeout=10.0)) as database, database:
        return database.execute(statement, parameters).fetchall()
