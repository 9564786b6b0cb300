"""A shelf in a bucket of a store that tells of objects that are missing: GCS does, S3 does not."""

import asyncio

from aiohttp import web
from aiohttp.test_utils import TestServer

from storage.backups.shelf import open_shelf
from storage.blobs.location import parse
from storage.blobs.s3.signing import S3Keys

MISSING = "<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>"


async def test_what_is_missing_is_deleted_without_an_error() -> None:
    there = {"one", "two"}

    async def delete(request: web.Request) -> web.Response:
        name = request.path.rpartition("/")[2]
        if name not in there:
            return web.Response(status=404, text=MISSING, content_type="application/xml")
        there.remove(name)
        return web.Response(status=204)

    bucket = web.Application()
    bucket.router.add_delete("/bucket/{name}", delete)
    async with TestServer(bucket) as server:
        endpoint = f"http://{server.host}:{server.port}"
        shelf = open_shelf(parse(f"s3://bucket?endpoint={endpoint}&region=us-east-1"), S3Keys("a", "b"))
        await asyncio.to_thread(shelf.delete, "none")
        await asyncio.to_thread(shelf.delete_all, ["none", "one", "neither", "two"])
        await asyncio.to_thread(shelf.delete_all, [])
    assert there == set()
