"""Artifacts as files, and as pages by a link: what they hold, and what hostile authors get out of them."""

import csv
import io
import re
import zipfile
from typing import Any

import orjson
import pytest

from tests.server.quiet import nothing_breaks
from tests.serving import Client, Server

__all__ = ["nothing_breaks"]

ROWS = [["May", 10, True], ["=SUM(A1)", -2.5, None], ['a,"b"\nc', 0, False]]
REPORT: Any = {
    "abstract": "Sales *rose*.",
    "sections": [
        {"type": "markdown", "title": "Intro & more", "text": "# Hello\n\nA [link](https://example.com)."},
        {"type": "table", "id": "sales", "columns": ["month", "+sum", "good"], "rows": ROWS, "caption": "By month"},
        {"type": "chart", "alt_text": "Bar", "spec": {"mark": "bar", "data": {"values": [{"a": 1}, {"a": 2, "b": 3}]}}},
        {"type": "figure", "image_url": "https://example.com/a.png", "alt_text": "A photo", "caption": "Seen"},
    ],
}  # fmt: skip


@pytest.fixture(autouse=True)
def without_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Data stand in place of charts. With pictures: `test_printing.py`."""
    monkeypatch.setattr("server.exports.worker.kinds.EXTRA", ("no_such_package",))


async def create(client: Client, thread: Any, content: Any = REPORT, **more: Any) -> str:
    given = {"type": "REPORT", "title": "Sales <b>", **more}
    made = await client.post(f"/api/v1/threads/{thread['id']}/artifacts", content=content, **given)
    assert made.status == 201, made.raw
    return f"/api/v1/artifacts/{made.data['id']}"


async def test_each_format(alice: Client, thread: Any) -> None:
    url = f"{await create(alice, thread)}/export"
    as_json = await alice.get(url)
    assert (as_json.json["content"], as_json.json["type"], as_json.json["number"]) == (REPORT, "REPORT", 1)
    assert as_json.headers["Content-Disposition"].startswith("attachment; filename=")
    markdown = (await alice.get(url, format="markdown")).raw.decode()
    assert markdown.startswith("# Sales \\<b\\>\n\nSales *rose*.\n\n## Intro \\& more\n\n# Hello")
    assert "| month | \\+sum | good |\n| --- | --- | --- |\n| May | 10 | yes |" in markdown
    page = (await alice.get(url, format="html")).raw.decode()
    assert "<h1>Sales &lt;b&gt;</h1>" in page
    assert "<em>rose</em>" in page
    assert "<td class=n>-2.5</td>" in page
    assert "<figcaption>By month</figcaption>" in page


async def test_tables_as_csv(alice: Client, thread: Any) -> None:
    """What a spreadsheet would run is text; several tables are an archive."""
    url = f"{await create(alice, thread)}/export"
    answer = await alice.get(url, format="csv")
    assert answer.headers["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.raw)) as archive:
        assert archive.namelist() == ["sales.csv", "chart-5.csv"]
        sales = list(csv.reader(io.StringIO(archive.read("sales.csv").decode("utf-8-sig"), newline="")))
        chart = list(csv.reader(io.StringIO(archive.read("chart-5.csv").decode("utf-8-sig"), newline="")))
    assert sales == [
        ["month", "'+sum", "good"], ["May", "10", "yes"], ["'=SUM(A1)", "-2.5", ""], ['a,"b"\nc', "0", "no"],
    ]  # fmt: skip
    assert chart == [["a", "b"], ["1", ""], ["2", "3"]]
    one = await create(alice, thread, {"panels": [{"type": "table", "rows": [["@x"]]}]}, type="DASHBOARD")
    single = await alice.get(f"{one}/export", format="csv")
    assert single.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert single.raw.decode("utf-8-sig") == "'@x\r\n"
    none = await alice.get(f"{await create(alice, thread, 'Text.')}/export", format="csv")
    assert (none.status, none.error["code"]) == (409, "nothing_to_export")


async def test_an_earlier_version(alice: Client, bob: Client, server: Server, thread: Any) -> None:
    url = await create(alice, thread, "One.")
    await alice.put(url, content="Two.")
    assert (await bob.get(f"{url}/export", format="markdown", version="1")).raw.endswith(b"One.\n")
    assert (await bob.get(f"{url}/export", format="markdown")).raw.endswith(b"Two.\n")
    for query, field in (({"format": "docx"}, "format"), ({"version": "x"}, "version"), ({"a": "b"}, "a")):
        assert (await bob.get(f"{url}/export", **query)).error["errors"].keys() == {field}
    assert (await bob.get(f"{url}/export", version="9")).status == 404
    assert (await server.client("eve").get(f"{url}/export")).status == 404


HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "![x](https://evil.example/pixel.png)",
    "</title><script>alert(1)</script>",
    '"><svg onload=alert(1)>',
    "```\n</pre><script>alert(1)</script>\n```",
)


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_text_is_only_text(alice: Client, thread: Any, text: str) -> None:
    content = {"sections": [
        {"type": "markdown", "title": text, "text": text},
        {"type": "table", "columns": [text], "rows": [[text]], "caption": text},
        {"type": "figure", "image_url": "https://example.com/%22onload=x", "alt_text": text, "caption": text},
        {"type": "chart", "spec": {"data": {"values": [{text: text}]}}, "alt_text": text, "caption": text},
    ], "abstract": text}  # fmt: skip
    url = await create(alice, thread, content, title=text.replace("\n", " "))
    page = (await alice.get(f"{url}/export", format="html")).raw.decode()
    tags = {tag.lower() for tag in re.findall(r"<([a-zA-Z]+)", page)}
    assert not tags & {"script", "svg", "iframe", "object", "form", "link"}
    assert not re.search(r"<[^>]*\son\w+\s*=", page)
    assert "javascript:" not in re.sub(r">[^<]*<", "><", page)
    assert "default-src 'none'" in page


async def test_a_long_report_is_rendered_in_bounded_time(alice: Client, thread: Any) -> None:
    """Quadratic input: nested brackets and broken tables."""
    text = "\n\n".join(["[" * 2_000, "|" * 3_000 + "\n" + "-|" * 1_500, "*a " * 3_000])
    content = {"sections": [{"type": "markdown", "text": text} for _ in range(10)]}
    url = await create(alice, thread, content)
    page = await alice.get(f"{url}/export", format="html")
    assert page.status == 200
    assert b"<pre>" in page.raw


async def test_a_dashboard_is_a_grid(alice: Client, thread: Any) -> None:
    content = {"columns": 4, "panels": [
        {"type": "metric", "title": "Users", "value": 12.5, "unit": "%", "change": -1,
         "grid": {"x": 1, "y": 0, "w": 2, "h": 1}},
        {"type": "text", "text": "*Hi*"},
    ]}  # fmt: skip
    url = await create(alice, thread, content, type="DASHBOARD")
    page = (await alice.get(f"{url}/export", format="html")).raw.decode()
    assert "grid-template-columns:repeat(4," in page
    assert '<section style="grid-column:2/span 2;grid-row:1/span 1"><h2>Users</h2>' in page
    assert '<p class="metric">12.5 % (-1)</p>' in page


# Links


async def fetch(server: Server, url: str, accept: str = "text/html", method: str = "GET") -> tuple[int, str, Any]:
    """Without a token."""
    async with server.session.request(method, server.url + url, headers={"Accept": accept}) as answer:
        return answer.status, (await answer.read()).decode(), answer.headers


async def test_a_link_shows_a_page_and_counts_its_views(
    server: Server, alice: Client, bob: Client, thread: Any
) -> None:
    url = await create(alice, thread, "Hello *there*.")
    share = (await alice.post(f"{url}/shares", label="For the board", seconds=60)).data
    status, page, headers = await fetch(server, share["url"])
    assert (status, "<em>there</em>" in page) == (200, True)
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox allow-popups;")
    assert (headers["Referrer-Policy"], headers["X-Robots-Tag"]) == ("no-referrer", "noindex")
    await alice.put(url, content="Changed.")
    assert "Changed." in (await fetch(server, share["url"]))[1]
    as_json = orjson.loads((await fetch(server, share["url"], "application/json"))[1])
    assert (as_json["content"], as_json["type"]) == ("Changed.", "REPORT")
    assert (await fetch(server, share["url"], method="HEAD"))[:2] == (200, "")
    (listed,) = (await bob.get(f"{url}/shares")).data
    assert (listed["views"], listed["url"], listed["label"]) == (3, None, "For the board")
    assert listed["viewed_at"] is not None


async def test_a_link_may_be_to_one_version(server: Server, alice: Client, thread: Any) -> None:
    url = await create(alice, thread, "One.")
    share = (await alice.post(f"{url}/shares", version=1)).data
    await alice.put(url, content="Two.")
    assert "One." in (await fetch(server, share["url"]))[1]
    assert (await alice.post(f"{url}/shares", version=9)).status == 404


async def test_how_a_link_ends(server: Server, alice: Client, bob: Client, thread: Any) -> None:
    url = await create(alice, thread, "Hello.")
    revoked = (await bob.post(f"{url}/shares")).data
    left = (await bob.post(f"{url}/shares")).data
    deleted = (await alice.post(f"{url}/shares")).data
    gone = await alice.delete(f"{url}/shares/{revoked['id']}")
    assert gone.data["revoked_at"] is not None
    assert (await fetch(server, revoked["url"]))[0] == 403
    changed = revoked["url"].replace(revoked["id"], left["id"])
    assert (await fetch(server, changed))[0] == 403, "the signature is for one link"
    assert (await fetch(server, left["url"].partition("?")[0]))[0] == 401
    assert (await alice.get(left["url"].partition("?")[0])).status == 403, "a token is no link"
    assert (await fetch(server, left["url"]))[0] == 200
    await alice.delete(f"/api/v1/threads/{thread['id']}/members/{(await bob.me())['id']}")
    assert (await fetch(server, left["url"]))[0] == 404, "its maker no longer sees the artifact"
    assert (await fetch(server, deleted["url"]))[0] == 200
    await alice.delete(url)
    assert (await fetch(server, deleted["url"]))[0] == 404


async def test_a_link_expires(server: Server, alice: Client, thread: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    url = await create(alice, thread, "Hello.")
    share = (await alice.post(f"{url}/shares", seconds=60)).data
    now = server.services.clock()
    monkeypatch.setattr(server.services, "clock", lambda: now + 61)
    assert (await fetch(server, share["url"]))[0] == 403


async def test_links_are_limited_and_audited(
    server: Server, alice: Client, root: Client, thread: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.limits.SHARES_PER_ARTIFACT", 1)
    url = await create(alice, thread, "Hello.")
    first = (await alice.post(f"{url}/shares")).data
    refused = await alice.post(f"{url}/shares")
    assert (refused.status, refused.error["code"]) == (409, "shares_full")
    await alice.delete(f"{url}/shares/{first['id']}")
    assert (await alice.post(f"{url}/shares")).status == 201
    actions = [entry["action"] for entry in (await root.get("/api/v1/admin/audit", limit="5")).data]
    assert actions[:3] == ["share_artifact", "revoke_share", "share_artifact"]


async def test_a_content_that_shows_as_gigabytes_is_refused(alice: Client, thread: Any) -> None:
    values = [{f"{row:x}": 1} for row in range(3000)]
    sections = [{"type": "chart", "spec": {"data": {"values": values}}}]
    artifact = await create(alice, thread, {"sections": sections})
    for form in ("csv", "markdown", "html"):
        assert (await alice.get(f"{artifact}/export", format=form)).status == 413
    assert (await alice.get(f"{artifact}/export")).status == 200
    link = (await alice.post(f"{artifact}/shares")).data["url"]
    assert (await alice.get(link)).status == 413
