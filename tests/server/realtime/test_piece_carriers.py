"""Pieces by every way in: halves of characters are joined, and what ends the author's rights ends what they write."""

import asyncio
from typing import Any

import orjson

from server.realtime.protobuf import client_pb2 as schema
from tests.realtime_client import PATIENCE
from tests.server.realtime.conftest import Dial
from tests.serving import Client, Server


async def begin(bot: Client) -> str:
    room = await bot.thread()
    return str((await bot.post(f"/api/v1/threads/{room['id']}/messages", status="STREAMING")).data["id"])


async def test_halves_by_rpc(dial: Dial, bot: Client) -> None:
    message_id = await begin(bot)
    client = await dial(bot)
    for number, piece in enumerate((r"a\ud83d", r"\ude00"), 70):
        data = f'{{"id":"{message_id}","text":"{piece}"}}'
        await client.socket.send_str(f'{{"id":{number},"rpc":{{"method":"append_to_message","data":{data}}}}}')
        reply = await client.reply(number)
        assert "error" not in reply, reply
    done = await bot.post(f"/api/v1/messages/{message_id}/complete")
    assert done.data["content"] == "a😀"


async def test_halves_by_rpc_in_protobuf(server: Server, bot: Client) -> None:
    message_id = await begin(bot)

    def delimited(message: Any) -> bytes:
        raw = message.SerializeToString()
        assert len(raw) < 16_384
        size = len(raw)
        return (bytes([size]) if size < 128 else bytes([size & 0x7F | 0x80, size >> 7])) + raw

    async with (
        asyncio.timeout(PATIENCE),
        server.session.ws_connect(server.websocket_url, protocols=("centrifuge-protobuf",)) as socket,
    ):
        connect = schema.Command(id=1, connect=schema.ConnectRequest(token=bot.token))
        await socket.send_bytes(delimited(connect))
        await socket.receive_bytes()
        for number, piece in enumerate((r"a\ud83d", r"\ude00"), 2):
            data = b'{"id":"%b","text":"%b"}' % (message_id.encode(), piece.encode())
            rpc = schema.RPCRequest(method="append_to_message", data=data)
            await socket.send_bytes(delimited(schema.Command(id=number, rpc=rpc)))
            while b"length" not in await socket.receive_bytes():
                pass
    done = await bot.post(f"/api/v1/messages/{message_id}/complete")
    assert done.data["content"] == "a😀"


async def test_halves_in_any_other_command_are_no_frame(dial: Dial, bot: Client) -> None:
    client = await dial(bot)
    await client.socket.send_str(r'{"id":70,"rpc":{"method":"create_thread","data":{"title":"\ud83d"}}}')
    assert (await client.closed()).code == 3501


async def test_a_piece_by_rpc_takes_every_right(dial: Dial, alice: Client, bot: Client) -> None:
    bot_id = (await bot.me())["id"]
    room = await alice.thread(members=[{"user_id": bot_id}])
    client = await dial(bot)
    opened = await client.ask(
        "rpc", method="create_message", data={"thread_id": room["id"], "content": "", "status": "STREAMING"}
    )
    message_id = opened["rpc"]["data"]["id"]
    append = {"method": "append_to_message", "data": {"id": message_id, "text": "So"}}
    assert (await client.ask("rpc", **append))["rpc"]["data"] == {"length": 2}
    assert (await alice.patch(f"/api/v1/threads/{room['id']}/members/{bot_id}", role="VIEWER")).status == 200
    refused = await client.ask("rpc", **append)
    assert orjson.loads(refused["error"]["message"])["code"] == "not_a_writer"
