"""Who it is: by the connect command, by cookie, by header; and what becomes of those who cannot say."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from actors import limits
from server.realtime.session.session import Session
from tests.realtime_client import raw_client
from tests.server.realtime.conftest import Dial
from tests.serving import Client, Server, serving
from tests.tokens import token

COOKIE = "rpotential_auth"


async def test_what_connect_answers(dial: Dial, alice: Client) -> None:
    answer = await (await dial()).connect(alice.token)
    assert "session" not in answer, "commands come over the socket, and over nothing else"
    assert answer["version"].startswith("experience-server ")
    assert answer["ping"] == 25
    assert answer["pong"] is True
    assert answer["expires"] is True
    assert 890 < answer["ttl"] <= 900, "the leeway is for its new token to arrive"
    assert answer["node"]


@pytest.mark.parametrize("is_known", [True, False])
async def test_a_bad_command_that_came_with_connect_ends_the_connection(
    dial: Dial, alice: Client, is_known: bool
) -> None:
    """Whether it has to wait for the answer to connect or not."""
    client = await dial()
    given = alice.token if is_known else token("newcomer")
    await client.send(client.command("connect", token=given), {"id": "none", "ping": {}})
    end = await client.closed()
    assert (end.code, end.reason) == (3501, "bad request: expected an `id` from 1 to 4294967295")


async def test_two_connections_are_two_clients(dial: Dial, alice: Client) -> None:
    first, second = await (await dial()).connect(alice.token), await (await dial()).connect(alice.token)
    assert first["client"] != second["client"]
    assert first["node"] == second["node"]


async def test_a_header_will_do(dial: Dial, alice: Client) -> None:
    client = await dial(headers={"Authorization": f"Bearer {alice.token}"})
    answer = (await client.ask("connect"))["connect"]
    assert "expires" not in answer, "who sent no token with connect could not refresh it either"
    thread = await alice.thread()
    assert (await client.subscribe(thread["id"]))["recoverable"] is True


async def test_the_token_of_connect_goes_before_the_header(dial: Dial, alice: Client, bob: Client) -> None:
    client = await dial(headers={"Authorization": f"Bearer {bob.token}"})
    await client.connect(alice.token)
    me = (await client.ask("rpc", method="get_me"))["rpc"]["data"]
    assert me["email"] == "alice@rpotential.ai"


async def test_a_cookie_of_a_page_of_ours(server: Server, dial: Dial, alice: Client) -> None:
    headers = {"Cookie": f"{COOKIE}={alice.token}", "Origin": server.url}
    client = await dial(headers=headers)
    assert "client" in (await client.ask("connect"))["connect"]


@pytest.mark.parametrize(
    "origin", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}]
)
async def test_a_cookie_from_elsewhere(dial: Dial, alice: Client, origin: dict[str, str]) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await dial(headers={"Cookie": f"{COOKIE}={alice.token}", **origin})
    assert caught.value.status == 403


async def test_a_cookie_from_an_allowed_origin(tmp_path: Path) -> None:
    async with serving(tmp_path / "data", ALLOWED_ORIGINS="https://app.example.com") as server:
        headers = {"Cookie": f"{COOKIE}={token('alice')}", "Origin": "https://app.example.com"}
        async with raw_client(server.session, server.websocket_url, headers=headers) as client:
            assert "connect" in await client.ask("connect")


async def test_a_header_that_is_no_bearer(dial: Dial) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await dial(headers={"Authorization": "Basic YTpi"})
    assert caught.value.status == 401


# Those who cannot say


@pytest.mark.parametrize("given", ["", "nonsense", "a.b.c", 5, None, ["x"], {"a": 1}, True])
async def test_a_token_that_is_none(dial: Dial, given: Any) -> None:
    client = await dial()
    await client.send(client.command("connect", token=given))
    assert (await client.closed()).code == 3500


async def test_a_forged_token(dial: Dial, alice: Client) -> None:
    client = await dial()
    head, payload, _ = alice.token.split(".")
    await client.send(client.command("connect", token=f"{head}.{payload}.{token('mallory').split('.')[2]}"))
    assert (await client.closed()).code == 3500


async def test_an_expired_token(dial: Dial, server: Server) -> None:
    """Not the end: the SDK gets a new one and tries again."""
    client = await dial()
    assert await client.error("connect", token=token("alice", ttl_seconds=-60)) == (
        109, "The token has expired; sign in again or refresh it.",
    )  # fmt: skip
    assert "client" in await client.connect(token("alice"))


async def test_another_domain(dial: Dial) -> None:
    client = await dial()
    await client.send(client.command("connect", token=token("eve", domain="evil.example", email="eve@evil.example")))
    end = await client.closed()
    assert (end.code, end.reason) == (3507, "domain_not_allowed")


async def test_a_deactivated_user(dial: Dial, alice: Client, root: Client) -> None:
    me = await alice.me()
    assert (await root.patch(f"/api/v1/users/{me['id']}", status="DEACTIVATED")).status == 200
    client = await dial()
    await client.send(client.command("connect", token=alice.token))
    assert (await client.closed()).code == 3500


async def test_who_does_not_connect(dial: Dial, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CONNECT_SECONDS", 0.1)
    end = await (await dial()).closed()
    assert (end.code, end.reason) == (3502, "stale")


async def test_who_does_not_connect_but_talks(dial: Dial, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pongs and commands that are none do not buy time."""
    monkeypatch.setattr(limits, "CONNECT_SECONDS", 0.2)
    client = await dial()
    for _ in range(5):
        await client.socket.send_str("{}")
        await client.send({"id": 1, "nonsense": {}})
        assert (await client.reply(1))["error"]["code"] == 104
    assert (await client.closed()).code == 3502


@pytest.mark.parametrize("verb", ["ping", "send"])
async def test_a_command_before_connect(dial: Dial, verb: str) -> None:
    client = await dial()
    await client.send(client.command(verb))
    assert (await client.closed()).code == 3501


async def test_connecting_twice(dial: Dial, alice: Client) -> None:
    client = await dial(alice)
    await client.send(client.command("connect", token=alice.token))
    assert (await client.closed()).code == 3501


@pytest.mark.parametrize("known", [True, False])
async def test_everything_in_one_frame(server: Server, dial: Dial, alice: Client, known: bool) -> None:
    """What follows connect waits until the token is judged; answers come in order."""
    thread = await alice.thread()
    client = await dial()
    fresh = alice.token if known else token("alice")
    channel = f"thread:{thread['id']}"
    await client.send(
        client.command("connect", token=fresh),
        client.command("subscribe", channel=channel),
        client.command("publish", channel=channel, data={"content": "at once"}),
        client.command("ping"),
    )
    assert (await client.next())["connect"]["client"]
    answers = {message["id"] for message in [await client.next(), await client.next()]}
    assert answers <= {2, 3, 4}
    assert (await client.push())["pub"]["data"]["data"]["content"] == "at once"


async def test_too_much_before_connect_is_answered(dial: Dial, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "COMMANDS_PER_CONNECTION", 3)
    client = await dial()
    fresh = token("stranger")  # not known yet: judging it takes a commit
    await client.send(client.command("connect", token=fresh), *(client.command("ping") for _ in range(4)))
    assert (await client.closed()).code == 3501


# Time passes


async def test_the_end_of_a_token(dial: Dial) -> None:
    client = await dial()
    left = 3 - limits.TOKEN_LEEWAY_SECONDS
    answer = await client.connect(token("alice", ttl_seconds=left))
    assert answer["ttl"] in (1, 2, 3)  # less on a busy machine
    end = await client.closed()
    assert (end.code, end.reason) == (3005, "connection expired")


async def test_the_end_of_a_token_that_lives_for_longer(
    dial: Dial, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Than it is worth to have a timer: pings look after it until then."""
    monkeypatch.setattr(limits, "PONG_SECONDS", 0.2)
    monkeypatch.setattr(server.services.hub, "ping_seconds", 0.3)
    client = await dial()
    ends_at = int(time.time()) + 3
    await client.connect(token("alice", ttl_seconds=ends_at - time.time() - limits.TOKEN_LEEWAY_SECONDS))
    (session,) = server.services.hub.clients
    assert isinstance(session, Session)
    assert session._sign_on._timer is None
    assert (await client.closed()).code == 3005
    assert ends_at - 1 <= time.time() < ends_at + 2


async def test_a_refresh_in_time(dial: Dial) -> None:
    client = await dial()
    await client.connect(token("alice", ttl_seconds=2 - limits.TOKEN_LEEWAY_SECONDS))
    ended_at = time.time() + 2
    answer = (await client.ask("refresh", token=token("alice")))["refresh"]
    assert answer["expires"] is True
    assert answer["ttl"] > 800
    await asyncio.sleep(ended_at + 0.2 - time.time())  # time itself is what is tested
    assert (await client.ask("ping"))["ping"] == {}


async def test_a_refresh_by_another_user(dial: Dial, alice: Client, bob: Client) -> None:
    client = await dial(alice)
    await client.send(client.command("refresh", token=bob.token))
    end = await client.closed()
    assert (end.code, end.reason) == (3500, "invalid token: it is another user's")


async def test_refreshes_that_are_none(dial: Dial, alice: Client) -> None:
    client = await dial(alice)
    for given in ("", None, 7, ["x"]):
        assert (await client.error("refresh", token=given))[0] == 107
    assert (await client.error("refresh"))[0] == 107
    assert (await client.error("refresh", token=token("alice", ttl_seconds=-60)))[0] == 109
    assert (await client.error("refresh", token=token("alice", domain="evil.example")))[0] == 103
    await client.send(client.command("refresh", token="forged"))
    assert (await client.closed()).code == 3500


async def test_an_admin_who_refreshes_as_none(server: Server, dial: Dial, alice: Client, root: Client) -> None:
    """What they followed as an admin is not theirs any more."""
    thread = await alice.thread()
    await server.client("boss", role="ADMIN").me()  # of administrators one is left
    client = await dial(root)
    await client.subscribe(thread["id"])
    await client.send(client.command("refresh", token=token("root", role="USER")))
    assert (await client.closed()).code == 3005
    assert not [message for message in client.inbox if "push" in message]


async def test_no_pong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PONG_SECONDS", 0.3)
    async with serving(tmp_path / "data", PING_INTERVAL="1") as server:
        headers = {"Authorization": f"Bearer {token('alice')}"}
        async with server.session.ws_connect(server.websocket_url, headers=headers) as silent:
            await silent.send_str('{"id":1,"connect":{}}')
            said = [await silent.receive() for _ in range(3)]
            assert said[1].data == "{}"
            assert said[2].type is aiohttp.WSMsgType.CLOSE
            assert silent.close_code == 3012


async def test_pongs_keep_it_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PONG_SECONDS", 0.3)
    async with (
        serving(tmp_path / "data", PING_INTERVAL="0.6") as server,
        server.session.ws_connect(server.websocket_url) as socket,
        asyncio.timeout(10),
    ):
        await socket.send_str(json.dumps({"id": 1, "connect": {"token": token("alice")}}))
        assert "connect" in await socket.receive_str()
        for _ in range(2):
            assert await socket.receive_str() == "{}"
            await socket.send_str("{}")
