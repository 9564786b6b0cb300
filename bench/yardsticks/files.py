"""Yardstick E: aiohttp, a body written to disk as it comes; `FileResponse`.

python -m bench.yardsticks.files PORT FOLDER

No token, no record, no hash, no limit: what any handler must do whose answer means that the bytes are on the disk.
Writing blocks the event loop, which is the fastest way for a single upload.
"""

import os
import sys
from pathlib import Path

from aiohttp import web

from bench.yardsticks.serving import run


def application(folder: Path) -> web.Application:
    async def upload(request: web.Request) -> web.Response:
        target = folder / request.match_info["name"]
        partial = target.with_suffix(".partial")
        with partial.open("wb", buffering=0) as file:
            async for piece in request.content.iter_any():
                file.write(piece)
            os.fsync(file.fileno())
        partial.replace(target)
        return web.json_response({"size": target.stat().st_size}, status=201)

    async def download(request: web.Request) -> web.FileResponse:
        return web.FileResponse(folder / request.match_info["name"])

    made = web.Application(client_max_size=2**40)
    made.router.add_put("/files/{name}", upload)
    made.router.add_get("/files/{name}", download)
    return made


if __name__ == "__main__":
    run(application(Path(sys.argv[2])))
