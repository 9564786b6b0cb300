"""Notifications by e-mail, through a real mail server."""

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from actors import limits
from tests.builders import until, until_asked
from tests.realtime_client import raw_client
from tests.server.outbound.mail.conftest import VERIFICATION, let_go, mail_link, path_of
from tests.server.outbound.mail.mail_server import MailServer, part
from tests.server.outbound.push.test_push import once_in, outbox
from tests.serving import Client, Server, serving

MAILBOX = "/api/v1/users/me/mailbox"
PREFERENCES = "/api/v1/users/me/preferences"


@pytest.mark.usefixtures("gathering")
async def test_what_was_missed_comes_in_one_mail(
    server: Server, alice: Client, bob: Client, thread: str, mails: MailServer
) -> None:
    await alice.say(thread, "@bob first <b>&amp;")
    await alice.say(thread, "@bob second")
    assert [row[0] for row in outbox(server)] == ["pending"] * 2
    let_go(server)
    (mail,) = await mails.until(1)
    assert (mail["To"], mail["From"]) == ("bob@rpotential.ai", "Chat <chat@example.com>")
    assert mail["Subject"] == "2 notifications that you have not read"
    text, html = part(mail, "plain"), part(mail, "html")
    assert text.index("@bob second") < text.index("@bob first <b>&amp;")
    assert "Alice mentioned you in Plans" in text
    assert "@bob first &lt;b&gt;&amp;amp;" in html
    assert "<b>" not in html
    assert mails.users[-1] == b"chat", "it signed in"
    await once_in(server, "sent", "sent")
    assert len(mails.got) == 1


async def test_one_notification_is_the_subject_itself(alice: Client, thread: str, mails: MailServer) -> None:
    await alice.patch(f"/api/v1/threads/{thread}", title="Plans for 見て")
    await alice.say(thread, "@bob")
    (mail,) = await mails.until(1)
    assert mail["Subject"] == "Alice mentioned you in Plans for 見て"
    assert mail["Auto-Submitted"] == "auto-generated"


@pytest.mark.usefixtures("gathering")
async def test_what_was_read_is_not_sent(
    server: Server, alice: Client, bob: Client, thread: str, mails: MailServer
) -> None:
    await alice.say(thread, "@bob first")
    await bob.post(f"/api/v1/threads/{thread}/read")
    await alice.say(thread, "@bob second")
    let_go(server)
    (mail,) = await mails.until(1)
    assert "first" not in part(mail, "plain")


@pytest.mark.usefixtures("gathering")
async def test_what_waits_goes_with_its_thread(
    server: Server, alice: Client, thread: str, mails: MailServer
) -> None:  # fmt: skip
    await alice.say(thread, "@bob")
    await alice.delete(f"/api/v1/threads/{thread}")
    assert [row[0] for row in outbox(server)] == ["pending"]
    let_go(server)
    await until(lambda: outbox(server) == [])
    assert mails.got == []


async def test_nothing_is_sent_to_an_address_that_was_not_confirmed(
    server: Server, alice: Client, mails: MailServer
) -> None:
    carol = server.client("carol")
    await carol.patch(PREFERENCES, deliver=["email"])
    await alice.thread(members=[{"user_id": (await carol.me())["id"]}])
    assert await once_in(server, "failed") == [("failed", 1, "no_recipient")]
    assert (await carol.get(MAILBOX)).data == {
        "address": "carol@rpotential.ai", "verified_at": None, "is_served": True
    }  # fmt: skip
    assert mails.got == []


async def test_an_address_is_confirmed_by_the_button_behind_its_link(server: Server, mails: MailServer) -> None:
    carol = server.client("carol")
    assert (await carol.post(VERIFICATION)).data["verified_at"] is None
    (mail,) = await mails.until(1)
    link = path_of(mail_link(part(mail, "plain")))
    shown = await server.client("scanner").get(link)
    assert (shown.status, b"<form" in shown.raw) == (200, True)
    assert "form-action 'self'" in shown.headers["Content-Security-Policy"]
    assert (await carol.get(MAILBOX)).data["verified_at"] is None, "a scanner of mail opens links"
    async with server.session.post(server.url + link) as answer:
        assert answer.status == 200
    assert (await carol.get(MAILBOX)).data["verified_at"] is not None
    again = await carol.post(VERIFICATION)
    assert (again.status, again.error["code"]) == (409, "conflict")


async def test_a_link_is_asked_for_over_a_websocket(server: Server, mails: MailServer) -> None:
    carol = server.client("carol")
    async with raw_client(server.session, server.websocket_url, carol.token) as client:
        client.ignores_own = True
        assert (await client.ask("rpc", method="verify_mailbox"))["rpc"]["data"]["verified_at"] is None
    await mails.until(1)


async def test_a_retry_with_its_key_sends_no_second_mail(server: Server, mails: MailServer) -> None:
    """Once a minute at most, whatever the key: but where the first one was not sent, the retry is."""
    carol, key = server.client("carol"), {"Idempotency-Key": "once"}
    mails.refuses = "450 try later"
    assert (await carol.post(VERIFICATION, key)).status == 503
    mails.refuses = ""
    _a_minute_passes(server)
    assert [(await carol.post(VERIFICATION, key)).status for _ in range(3)] == [202] * 3
    assert len(mails.got) == 1


def _a_minute_passes(server: Server) -> None:
    path = server.services.measured_files["database"]
    with contextlib.closing(sqlite3.connect(path, timeout=10)) as database, database:
        database.execute("UPDATE mail_address SET asked_at = asked_at - 60000")


async def test_a_mail_server_that_does_not_take_it(server: Server, mails: MailServer) -> None:
    """What it answers, and where it is, is for the operator's log alone."""
    mails.refuses = "450 try later"
    later = await server.client("carol").post(VERIFICATION)
    assert (later.status, later.error["code"], later.headers["Retry-After"]) == (503, "unavailable", "60")
    assert later.error["retryable"]
    mails.refuses = "550 no such user"
    refused = await server.client("dora").post(VERIFICATION)
    assert (refused.status, refused.error["retryable"]) == (409, False)
    for answer in (later, refused):
        assert not any(word in answer.raw for word in (b"450", b"550", b"127.0.0.1"))


async def test_a_new_address_has_to_be_confirmed_again(server: Server, bob: Client, root: Client) -> None:
    assert (await bob.get(MAILBOX)).data["verified_at"] is not None
    changed = await root.patch(f"/api/v1/users/{(await bob.me())['id']}", email="robert@rpotential.ai")
    assert changed.status == 200, changed.raw
    assert await look(bob) == ("robert@rpotential.ai", None)


async def look(client: Client) -> tuple[str, Any]:
    found = (await client.get(MAILBOX)).data
    return found["address"], found["verified_at"]


async def test_one_click_ends_it(server: Server, alice: Client, bob: Client, thread: str, mails: MailServer) -> None:
    """As a mail program does (RFC 8058): a POST without cookies, with the form that the header names."""
    await alice.say(thread, "@bob")
    (mail,) = await mails.until(1)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = str(mail["List-Unsubscribe"]).strip("<>")
    assert link == mail_link(part(mail, "plain"))
    await server.client("scanner").get(path_of(link))
    assert (await bob.get(PREFERENCES)).data["deliver"] == ["email"]
    async with server.session.post(server.url + path_of(link), data={"List-Unsubscribe": "One-Click"}) as answer:
        assert answer.status == 200
    assert (await bob.get(PREFERENCES)).data["deliver"] == []
    log = (await bob.get("/api/v1/users/me/log")).data
    assert log[-1]["type"] == "preferences.updated"
    async with server.session.post(server.url + path_of(link)) as answer:
        assert answer.status == 200, "a second time nothing is left to do"


@pytest.mark.parametrize("purpose", ["confirm", "unsubscribe"])
async def test_a_link_of_another_kind_is_no_good(server: Server, bob: Client, purpose: str) -> None:
    assert server.services.digests is not None
    links, me = server.services.digests.links, await bob.me()
    other = links.link("confirm" if purpose == "unsubscribe" else "unsubscribe", me["id"], me["email"])
    token = other.rpartition("token=")[2]
    expired = links.link("confirm", me["id"], me["email"], -10).rpartition("token=")[2]
    for wrong in (token, token[:-2], "x", "", "x" * 5_000, *([expired] if purpose == "confirm" else [])):
        async with server.session.post(f"{server.url}/mail/{purpose}?token={wrong}") as answer:
            assert answer.status == 404
    assert (await bob.get(PREFERENCES)).data["deliver"] == ["email"]


async def test_a_mail_server_that_refuses_for_now_is_asked_again(
    server: Server, alice: Client, bob: Client, thread: str, mails: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PUSH_DELAYS", (0.05,) * 99)
    mails.refuses = "451 later"
    await alice.say(thread, "@bob")

    async def was_tried() -> bool:
        return outbox(server)[0][1:] > (1, "")

    await until_asked(was_tried)
    mails.refuses = ""
    await mails.until(1)
    await once_in(server, "sent")
    assert (await bob.get(MAILBOX)).data["verified_at"] is not None


async def test_an_address_that_is_refused_for_good_is_doubted(
    server: Server, alice: Client, bob: Client, thread: str, mails: MailServer
) -> None:
    mails.refuses = "550 no such user"
    await alice.say(thread, "@bob")
    assert await once_in(server, "failed") == [("failed", 1, "refused")]
    assert (await bob.get(MAILBOX)).data["verified_at"] is None


async def test_a_sender_that_is_refused_is_no_fault_of_the_address(
    server: Server, alice: Client, bob: Client, thread: str, mails: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MAIL_FROM is the operator's to mend: until then mails wait."""
    monkeypatch.setattr(limits, "PUSH_DELAYS", (0.05,) * 99)
    mails.refuses_sender = "550 not allowed to send from here"
    await alice.say(thread, "@bob")
    await until(lambda: outbox(server)[0][1:] > (1, ""))
    assert outbox(server)[0][0::2] == ("pending", "unreachable")
    later = await server.client("carol").post(VERIFICATION)
    assert (later.status, later.error["code"]) == (503, "unavailable")
    mails.refuses_sender = ""
    await mails.until(1)
    await once_in(server, "sent")
    assert (await bob.get(MAILBOX)).data["verified_at"] is not None


async def test_the_same_notifications_have_the_same_message_id(
    server: Server, alice: Client, bob: Client, thread: str, mails: MailServer
) -> None:
    """Where the server was killed between the mail and its record."""
    await alice.say(thread, "@bob")
    await mails.until(1)
    await once_in(server, "sent")
    path = server.services.measured_files["database"]
    with contextlib.closing(sqlite3.connect(path, timeout=10)) as database, database:
        database.execute("UPDATE outbox SET state = 'pending'")
    await alice.thread("Wake up")
    first, second = await mails.until(2)
    assert first["Message-ID"] == second["Message-ID"]
    assert first["Message-ID"].endswith("@example.com>")


async def test_without_a_mail_server_nobody_chooses_it(tmp_path: Path) -> None:
    async with serving(tmp_path / "data") as server:
        bob = server.client("bob")
        refused = await bob.patch(PREFERENCES, deliver=["email"])
        assert (refused.status, refused.error["errors"]) == (400, {"deliver": ["this server sends no e-mail."]})
        assert (await bob.post(VERIFICATION)).status == 409
        assert (await bob.get(MAILBOX)).data["is_served"] is False


@pytest.mark.parametrize("missing", ["MAIL_FROM", "PUBLIC_URL"])
async def test_what_it_needs_is_said_at_the_start(tmp_path: Path, mail_settings: dict[str, str], missing: str) -> None:
    del mail_settings[missing]
    with pytest.raises(Exception, match=f"SMTP_URL requires {missing}, too"):
        async with serving(tmp_path / "data", **mail_settings):
            pass


@pytest.mark.parametrize(
    "settings",
    [
        {"SMTP_URL": "http://mail.example.com"}, {"SMTP_URL": "smtp://"}, {"SMTP_URL": "smtp://a:99999"},
        {"SMTP_URL": "smtp://mail.example.com/path"}, {"MAIL_FROM": "nobody"},
    ],
)  # fmt: skip
async def test_settings_that_are_none_are_refused(tmp_path: Path, settings: dict[str, str]) -> None:
    with pytest.raises(Exception, match="expected"):
        async with serving(tmp_path / "data", **settings):
            pass
