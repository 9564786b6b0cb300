"""The pages that the server itself writes: plain HTML, no script, readable without a stylesheet."""

import re
from collections.abc import Iterable, Sequence
from html import escape

import orjson

from server.api_docs.assets import assets
from server.http.catalogue import ENTRIES, Entry


def page(title: str, *parts: str) -> str:
    """A whole page; `parts` are HTML already."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f'<title>{escape(title)}</title><link rel="stylesheet" href="{assets()["page.css"].path}"></head><body>'
        '<nav><a href="/docs">REST</a><a href="/docs/events">Live updates</a><a href="/problems">Errors</a></nav>'
        f"<main><h1>{escape(title)}</h1>{''.join(parts)}</main></body></html>"
    )


def prose(text: str) -> str:
    """Text as people write it here: `code` between backticks."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """`rows` are HTML already."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table>{f'<thead><tr>{head}</tr></thead>' if heads else ''}<tbody>{body}</tbody></table>"


def code(value: object) -> str:
    """A value as JSON."""
    return f"<pre><code>{escape(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())}</code></pre>"


def start_page(version: str) -> str:
    """What a browser sees at the address that the server prints."""
    rows = [
        (
            '<a href="/docs">REST</a>',
            "every operation, to read and to try out; <code>/openapi.json</code> for programs",
        ),
        ('<a href="/docs/events">Live updates</a>', "WebSocket and server-sent events; <code>/asyncapi.json</code>"),
        ('<a href="/problems">Errors</a>', "every error: its meaning and what to do"),
        ('<a href="/health">Health</a>', "whether the server and its database work"),
    ]
    return page(
        "Experience server",
        f"<p>Real-time messaging for people and AI agents in the same threads. Version {escape(version)}.</p>",
        table((), rows),
        "<h2>Sign in</h2>",
        "<p>Clients send a token: <code>Authorization: Bearer …</code>. On the server's machine, <code>xp token</code> "
        "prints one for testing, and <code>xp user link EMAIL</code> prints a sign-in link. With the "
        "address of this page as <code>$URL</code>:</p>",
        '<pre><code>TOKEN=$(xp token)\ncurl -H "Authorization: Bearer $TOKEN" $URL/api/v1/users/me</code></pre>',
        "<p>On the REST page, <em>Authorize</em> takes the same token.</p>",
    )


def api_page() -> str:
    """Swagger UI, which reads /openapi.json."""
    found = assets()
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f'<title>Experience server: REST</title><link rel="stylesheet" href="{found["swagger-ui.css"].path}">'
        f'<script src="{found["swagger-ui-bundle.js"].path}" defer></script>'
        f'<script src="{found["start.js"].path}" defer></script></head><body><div id="api"></div></body></html>'
    )


def problem_page(entry: Entry, example: object) -> str:
    rows = [
        ("Code", f"<code>{escape(entry.code)}</code>"),
        ("HTTP status", str(entry.status)),
        ("WebSocket error", str(entry.error)),
        ("Retryable", "yes" if entry.is_retryable else "no"),
    ]
    return page(entry.title, f"<p>{prose(entry.what_to_do)}</p>", table((), rows), "<h2>Example</h2>", code(example))


def problems_page() -> str:
    rows = [
        (
            f'<a href="/problems/{entry.slug}">{escape(entry.title)}</a>',
            f"<code>{entry.code}</code>",
            str(entry.status),
            prose(entry.what_to_do),
        )
        for entry in ENTRIES
    ]
    about = "Errors are problems (RFC 9457); the <code>type</code> of a problem is the URL of one of these pages."
    return page("Errors", f"<p>{about}</p>", table(("error", "code", "status", "what to do"), rows))
