"""Sign-in links and invitations by mail, through a real mail server."""

import asyncio
import re
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from actors import limits
from tests.builders import until_asked
from tests.server.operations.signing_in import nobody, sql
from tests.server.outbound.mail.conftest import mail_link, path_of
from tests.server.outbound.mail.mail_server import MailServer, part
from tests.serving import Answer, Client, Server, serving

LINKS = "/api/v1/auth/links"
AUDIT = "/api/v1/admin/audit"


@pytest.fixture
async def alice(server: Server) -> Client:
    """Known to the server."""
    client = server.client("alice")
    await client.me()
    return client


@dataclass
class Browser:
    """Has no cookies to begin with, and keeps what it gets."""

    url: str
    session: aiohttp.ClientSession

    async def send(self, method: str, path: str, **headers: str) -> Answer:
        async with self.session.request(
            method, self.url + path, headers=headers, allow_redirects=False
        ) as response:  # fmt: skip
            return Answer(response.status, response.headers, await response.read())

    @property
    def cookies(self) -> dict[str, str]:
        return {cookie.key: cookie.value for cookie in self.session.cookie_jar}


@pytest.fixture
async def browser(server: Server) -> Any:
    jar = aiohttp.CookieJar(unsafe=True, treat_as_secure_origin=[aiohttp.client.URL(server.url)])
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        yield Browser(server.url, session)


async def ask(server: Server, email: str, **more: str) -> Answer:
    answer = await nobody(server).post(LINKS, email=email, **more)
    assert answer.status == 202, answer.raw
    return answer


async def linked(server: Server, mails: MailServer, email: str = "Alice@RPotential.ai", **more: str) -> str:
    """The path of a link that was asked for and sent."""
    await ask(server, email, **more)
    mail = (await mails.until(1))[-1]
    return path_of(mail_link(part(mail, "plain")))


def letters(server: Server) -> list[tuple[Any, ...]]:
    data = server.services.measured_files["database"].parent
    return sql(data, "SELECT kind, state, attempts FROM letter ORDER BY id")


async def once(server: Server, *states: str) -> None:
    async def are_so() -> bool:
        return [state for _, state, _ in letters(server)] == list(states)

    await until_asked(are_so)


async def test_a_link_signs_in_by_its_button_and_not_when_it_is_opened(
    server: Server, alice: Client, mails: MailServer, browser: Browser
) -> None:
    path = await linked(server, mails)
    (mail,) = mails.got
    assert (mail["To"], mail["Subject"]) == ("alice@rpotential.ai", "Your sign-in link")
    assert "within 15 minutes" in part(mail, "plain")
    assert part(mail, "html").count("https://chat.example.com/mail/sign-in?token=") == 1
    for method in ("HEAD", "GET", "GET"):
        shown = await browser.send(method, path)
        assert (shown.status, shown.headers["Referrer-Policy"]) == (200, "same-origin")
        assert shown.headers["Cache-Control"] == "no-store"
        assert "form-action 'self'" in shown.headers["Content-Security-Policy"]
    assert b"Alice, alice@rpotential.ai" in shown.raw
    assert b'<form method="post">' in shown.raw
    assert browser.cookies == {}, "a scanner of mail opens links"
    pressed = await browser.send("POST", path, Origin="https://chat.example.com")
    assert (pressed.status, pressed.headers["Location"]) == (303, "/")
    assert set(browser.cookies) == {"rpotential_auth", "rpotential_auth_refresh"}
    me = await browser.send("GET", "/api/v1/auth/me")
    assert me.data["email"] == "alice@rpotential.ai"
    again = await browser.send("POST", path, Origin="https://chat.example.com")
    assert (again.status, b"no good" in again.raw) == (404, True)
    assert (await browser.send("GET", path)).status == 404
    sessions = (await alice.get("/api/v1/auth/sessions")).data
    assert "LINK" in [session["method"] for session in sessions]


async def test_an_unknown_address_gets_the_same_answer_and_no_mail(
    server: Server, alice: Client, root: Client, mails: MailServer
) -> None:
    answers = [await ask(server, email) for email in ("alice@rpotential.ai", "nobody@rpotential.ai")]
    assert [answer.data for answer in answers] == [{"expires_in": limits.LETTER_SECONDS}] * 2
    assert len({tuple(sorted(set(answer.headers) - {"Date"})) for answer in answers}) == 1
    await mails.until(1)
    await once(server, "sent")

    async def outcomes() -> list[Any]:
        found = (await root.get(AUDIT, action="ask_for_sign_in_link")).data
        return [(entry["outcome"], entry["target_id"]) for entry in found]

    async def both() -> bool:
        return len(await outcomes()) == 2

    await until_asked(both)
    assert await outcomes() == [("refused", ""), ("done", (await alice.me())["id"])]
    assert b"nobody@" not in (await root.get(AUDIT)).raw, "what strangers type is kept nowhere"
    assert len(mails.got) == 1


async def test_the_answer_waits_for_no_mail_server(server: Server, alice: Client, mails: MailServer) -> None:
    mails.holds = asyncio.Event()
    await ask(server, "alice@rpotential.ai")
    await once(server, "pending")
    mails.holds.set()
    await mails.until(1)
    await once(server, "sent")


async def test_a_user_is_sent_one_a_minute_and_five_an_hour(server: Server, alice: Client, mails: MailServer) -> None:
    data = server.services.measured_files["database"].parent
    for count in range(1, limits.LETTERS_PER_HOUR + 1):
        await ask(server, "alice@rpotential.ai")
        await ask(server, "alice@rpotential.ai")
        await mails.until(count)
        await once(server, *["sent"] * count)
        sql(data, "UPDATE letter SET created_at = created_at - 61000")
    await ask(server, "alice@rpotential.ai")

    async def was_counted() -> bool:
        return server.services.measures.letters["sign_in", "too_soon"] == limits.LETTERS_PER_HOUR + 1

    await until_asked(was_counted)
    assert len(mails.got) == limits.LETTERS_PER_HOUR


@pytest.mark.parametrize(
    ("return_to", "place"),
    [("/threads/1?a=b", "/threads/1?a=b"), ("//evil.example", "/"), ("https://evil.example", "/"), ("/\\evil", "/")],
)
async def test_it_leads_to_a_path_of_this_server_alone(
    server: Server, alice: Client, mails: MailServer, browser: Browser, return_to: str, place: str
) -> None:
    path = await linked(server, mails, return_to=return_to)
    pressed = await browser.send("POST", path, Origin="https://chat.example.com")
    assert (pressed.status, pressed.headers["Location"]) == (303, place)


async def test_a_forged_place_in_the_link_is_none(
    server: Server, alice: Client, mails: MailServer, browser: Browser
) -> None:
    path = await linked(server, mails)
    pressed = await browser.send("POST", f"{path}&return_to=%2F%2Fevil.example", Origin="https://chat.example.com")
    assert (pressed.status, pressed.headers["Location"]) == (303, "/")


async def test_a_page_of_elsewhere_signs_nobody_in(
    server: Server, alice: Client, mails: MailServer, browser: Browser
) -> None:
    """It would be signed in as whom the page chooses."""
    path = await linked(server, mails)
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        assert (await browser.send("POST", path, **headers)).status == 403
    assert browser.cookies == {}
    assert (await browser.send("POST", path, Origin="https://chat.example.com")).status == 303


async def test_a_link_of_a_mail_is_good_for_its_page_alone(
    server: Server, alice: Client, root: Client, mails: MailServer, browser: Browser
) -> None:
    """It sets no password; and a link of an administrator does not open the page."""
    token = (await linked(server, mails)).partition("token=")[2]
    refused = await nobody(server).post("/api/v1/auth/login", link=token, new_password="correct horse battery")
    assert refused.status == 401
    me = (await alice.me())["id"]
    other = (await root.post(f"/api/v1/admin/users/{me}/sign-in-link")).data["link"]
    for wrong in (other, token[:-1], "", "x" * 5000):
        assert (await browser.send("GET", f"/mail/sign-in?token={wrong}")).status == 404
        assert (await browser.send("POST", f"/mail/sign-in?token={wrong}")).status == 404
    data = server.services.measured_files["database"].parent
    assert token not in str(sql(data, "SELECT * FROM sign_in_link")), "only its hash is stored"
    sql(data, "UPDATE sign_in_link SET expires_at = created_at")
    assert (await browser.send("POST", f"/mail/sign-in?token={token}")).status == 404


async def test_a_link_ends_with_what_it_was_made_for(
    server: Server, alice: Client, root: Client, mails: MailServer, browser: Browser
) -> None:
    path = await linked(server, mails)
    await root.patch(f"/api/v1/users/{(await alice.me())['id']}", email="al@rpotential.ai")
    assert (await browser.send("GET", path)).status == 404


async def test_a_user_who_may_not_come_in_gets_none(
    tmp_path: Path, mail_settings: dict[str, str], mails: MailServer
) -> None:
    async with serving(tmp_path / "narrow", **mail_settings) as server:
        root = server.client("root", role="ADMIN")
        made = await root.post("/api/v1/users", email="eve@elsewhere.example", name="Eve")
        gone = await root.post("/api/v1/users", email="gone@rpotential.ai", name="Gone")
        await root.patch(f"/api/v1/users/{gone.data['id']}", status="DEACTIVATED")
        for email in ("eve@elsewhere.example", "gone@rpotential.ai"):
            await ask(server, email)
        await once(server, "failed")
        assert (made.status, mails.got) == (201, [])


async def test_a_mail_server_that_refuses_for_now_is_asked_again(
    server: Server, alice: Client, mails: MailServer, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a link of its own: what was stored is a hash."""
    monkeypatch.setattr(limits, "LETTER_DELAYS", (0,) * 99)
    mails.refuses = "451 later"
    await ask(server, "alice@rpotential.ai")

    async def was_tried() -> bool:
        return letters(server)[:1] > [("sign_in", "pending", 1)]

    await until_asked(was_tried)
    mails.refuses = ""
    (mail,) = await mails.until(1)
    await once(server, "sent")
    assert (await browser.send("GET", path_of(mail_link(part(mail, "plain"))))).status == 200


async def test_one_that_is_refused_for_good_is_given_up(server: Server, alice: Client, mails: MailServer) -> None:
    mails.refuses = "550 no such user"
    await ask(server, "alice@rpotential.ai")
    await once(server, "failed")


def words(mail: EmailMessage) -> str:
    return re.sub(r"\s+", " ", part(mail, "plain"))


async def test_who_is_added_to_a_thread_is_invited_by_mail(
    server: Server, alice: Client, mails: MailServer, browser: Browser
) -> None:
    await server.client("bob").me()
    thread = await alice.thread("Plans <b>&")
    path = f"/api/v1/threads/{thread['id']}/members"
    added = await alice.post(path, email="bob@rpotential.ai", invite=True)
    assert added.status == 201, added.raw
    (mail,) = await mails.until(1)
    assert mail["To"] == "bob@rpotential.ai"
    assert mail["Subject"] == "Alice invites you to Plans <b>&"
    assert "within 3 days" in words(mail)
    assert "<b>" not in part(mail, "html")
    pressed = await browser.send(
        "POST", path_of(mail_link(part(mail, "plain"))), Origin="https://chat.example.com"
    )  # fmt: skip
    assert pressed.status == 303
    assert (await browser.send("GET", f"/api/v1/threads/{thread['id']}")).status == 200
    await alice.delete(f"{path}/{added.data['user']['id']}")
    assert (await alice.post(path, email="bob@rpotential.ai", invite=True)).status == 201
    await once(server, "sent")


async def test_a_new_user_is_invited_by_mail(server: Server, root: Client, mails: MailServer) -> None:
    made = await root.post("/api/v1/users", email="new@rpotential.ai", name="New", invite=True)
    assert made.status == 201, made.raw
    (mail,) = await mails.until(1)
    assert mail["Subject"] == "Root invites you to https://chat.example.com"
    await once(server, "sent")


async def test_without_a_mail_server_there_are_none(tmp_path: Path) -> None:
    async with serving(tmp_path / "data") as server:
        root = server.client("root", role="ADMIN")
        assert (await nobody(server).post(LINKS, email="a@rpotential.ai")).status == 409
        refused = await root.post("/api/v1/users", email="new@rpotential.ai", name="New", invite=True)
        assert (refused.status, refused.error["code"]) == (409, "conflict")
        assert (await root.get("/api/v1/users", email="new@rpotential.ai")).data == []
        assert (await nobody(server).get("/mail/sign-in?token=x")).status == 404


async def test_places_that_ask_too_often_are_refused(
    tmp_path: Path, mail_settings: dict[str, str], mails: MailServer
) -> None:
    """Known addresses and unknown ones alike."""
    async with serving(tmp_path / "limited", RATE_LIMITS="on", **mail_settings) as server:
        client = nobody(server)
        asked = (client.post(LINKS, email=f"{n}@rpotential.ai") for n in range(300))
        answers = await asyncio.gather(*asked)
        assert {answer.status for answer in answers} == {202, 429}
        assert all("Retry-After" in answer.headers for answer in answers if answer.status == 429)
