"""Bytes to send, and what the server holds of them."""

import base64
import hashlib
import io
import os
from pathlib import Path
from typing import Any

from tests.serving import Answer, Client

UPLOADS = "/api/v1/files/uploads"
TUS = {"Tus-Resumable": "1.0.0"}
PIECE = {**TUS, "Content-Type": "application/offset+octet-stream"}
CONTENT = os.urandom(700_001)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def metadata(**pairs: str) -> str:
    return ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in pairs.items())


async def create(client: Client, length: int, headers: dict[str, str] | None = None, **pairs: str) -> Answer:
    """A tus upload; its path is in `Location`."""
    sent = {**TUS, "Upload-Length": str(length), "Upload-Metadata": metadata(**{"filename": "a.bin", **pairs})}
    return await client.request("POST", UPLOADS, headers={**sent, **(headers or {})})


async def append(client: Client, path: str, offset: int, content: Any, **headers: str) -> Answer:
    sent = {**PIECE, "Upload-Offset": str(offset), **{name.replace("_", "-"): value for name, value in headers.items()}}
    body = io.BytesIO(content) if isinstance(content, bytes) else content  # aiohttp warns of large bytes
    return await client.request("PATCH", path, headers=sent, data=body)


async def offset(client: Client, path: str) -> int:
    answer = await client.request("HEAD", path, headers=TUS)
    assert answer.status == 200, answer
    return int(answer.headers["Upload-Offset"])


async def upload(client: Client, content: bytes = CONTENT, **pairs: str) -> Any:
    """A file that is there; answers its record."""
    created = await create(client, len(content), **pairs)
    assert created.status == 201, created.raw
    if content:
        created = await append(client, created.headers["Location"], 0, content)
        assert created.status == 204, created.raw
    return (await client.get(created.headers["Content-Location"])).data


def staged(data_dir: Path) -> list[str]:
    """What lies in the folder of uploads that are not complete."""
    return sorted(path.name for path in (data_dir / "uploads").iterdir())


def blobs(data_dir: Path) -> list[str]:
    return sorted(path.name for path in (data_dir / "blobs").rglob("*") if path.is_file())
