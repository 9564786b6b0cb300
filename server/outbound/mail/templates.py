"""What mails say, as text and as HTML. Names, titles and excerpts are written by others: they are escaped."""

from collections.abc import Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from html import escape
from typing import Final

from actors.resources.letters import SECONDS, Letter
from actors.resources.mail import Digest, Missed
from actors.resources.notices import Notice, NoticeKind
from actors.resources.notifications import NotificationKind

DONE: Final[dict[NotificationKind, str]] = {
    "mention": "mentioned you in", "reply": "replied to you in", "reaction": "reacted to your message in",
    "added": "added you to", "acknowledgement": "asks you to acknowledge a message in", "reminder": "",
}  # fmt: skip
_STYLE: Final = "font-family:system-ui,sans-serif;max-width:36rem"


def message(sender: str, to: str, subject: str, text: str, html: str, message_id: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = to
    mail["Subject"] = one_line(subject)
    mail["Date"] = format_datetime(datetime.now(UTC))
    mail["Message-ID"] = message_id
    mail["Auto-Submitted"] = "auto-generated"  # no answers of the absent (RFC 3834)
    mail.set_content(text)
    mail.add_alternative(f'<!doctype html><div style="{_STYLE}">{html}</div>', subtype="html")
    return mail


def one_line(text: str) -> str:
    return " ".join(text.split())


def digest(sender: str, to: str, found: Digest, *, url: str, unsubscribe: str, message_id: str) -> EmailMessage:
    subject = _headline(found)
    more = found.count - len(found.missed)
    rest = f"And {more} more." if more else ""
    lines = [*map(_as_text, found.missed), rest, f"Read them: {url}/", f"No more such mails: {unsubscribe}"]
    items = "".join(map(_as_html, found.missed))
    html = (
        f"<p>{escape(subject)}</p><ul>{items}</ul><p>{rest}</p>"
        f'<p><a href="{escape(url)}/">Read them</a></p>'
        f'<p><small><a href="{escape(unsubscribe)}">No more such mails</a></small></p>'
    )
    mail = message(sender, to, subject, "\n\n".join(filter(None, lines)) + "\n", html, message_id)
    mail["List-Unsubscribe"] = f"<{unsubscribe}>"
    mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return mail


def _headline(found: Digest) -> str:
    if found.count == 1:
        return _sentence(found.missed[0])
    return f"{found.count} notifications that you have not read"


def _sentence(missed: Missed) -> str:
    notification = missed.notification
    if notification.kind == "reminder":
        return one_line(f"Your reminder in {missed.title}") if missed.title else "Your reminder"
    return one_line(f"{notification.actor.name} {DONE[notification.kind]} {missed.title}")


def _as_text(missed: Missed) -> str:
    excerpt = one_line(missed.notification.excerpt)
    return f"- {_sentence(missed)}" + (f"\n  {excerpt}" if excerpt else "")


def _as_html(missed: Missed) -> str:
    excerpt = one_line(missed.notification.excerpt)
    quoted = f"<blockquote>{escape(excerpt)}</blockquote>" if excerpt else ""
    return f"<li>{escape(_sentence(missed))}{quoted}</li>"


def verification(sender: str, to: str, *, link: str, url: str, message_id: str) -> EmailMessage:
    says: Sequence[str] = (
        f"A user of {url}, probably you, wants to get notifications at this address.",
        "If that was not you, do nothing: no other mail is sent.",
    )
    text = f"{says[0]}\n\nConfirm it: {link}\n\n{says[1]}\n"
    html = f'<p>{escape(says[0])}</p><p><a href="{escape(link)}">Confirm it</a></p><p>{escape(says[1])}</p>'
    return message(sender, to, "Confirm your address", text, html, message_id)


def letter(sender: str, about: Letter, *, link: str, url: str, message_id: str) -> EmailMessage:
    """A mail with a link that signs in."""
    subject, says = _letter_words(about, url)
    ends = f"The link signs you in once, within {_duration(SECONDS[about.kind])}. If you do not expect it, do nothing."
    button = "Sign in" if about.kind == "sign_in" else "Accept the invitation"
    text = f"{says}\n\n{button}: {link}\n\n{ends}\n"
    html = f'<p>{escape(says)}</p><p><a href="{escape(link)}">{button}</a></p><p>{escape(ends)}</p>'
    return message(sender, about.user.email, subject, text, html, message_id)


def _letter_words(about: Letter, url: str) -> tuple[str, str]:
    """Subject and first sentence."""
    if about.kind == "sign_in":
        return "Your sign-in link", f"A user of {url}, probably you, wants to sign in by this address."
    place = url if about.thread is None else about.thread
    subject = one_line(f"{about.inviter} invites you to {place}")
    return subject, f"{subject}." if about.thread is None else f"{subject}, on {url}."


def _duration(seconds: int) -> str:
    return f"{seconds // 60} minutes" if seconds < 3600 else f"{seconds // (24 * 3600)} days"


_HAPPENED: Final[dict[NoticeKind, tuple[str, str]]] = {
    "password_changed": ("Your password was changed", "The password of your account on {url} was set or changed"),
    "email_changed": (
        "Your e-mail address was changed", "Your account on {url} has another e-mail address now, and not this one",
    ),
    "account_linked": (
        "A new way to sign in", "Your account on {url} can now be used by a sign-in with {detail}, too",
    ),
    "api_key_created": ("A new API key", "The API key {detail} was made for your account on {url}"),
}  # fmt: skip
_OTHERWISE: Final[dict[NoticeKind, str]] = {
    "password_changed": "set a new password by a sign-in link, end the sessions you do not know",
    "email_changed": "act soon, because the owner of the other address can sign in by it",
    "account_linked": "end the sessions you do not know",
    "api_key_created": "revoke the key, end the sessions you do not know, set a new password",
}


def notice(sender: str, about: Notice, *, url: str, message_id: str) -> EmailMessage:
    """A mail about a change of an account. It has no link but the server's own, and nothing that signs in."""
    subject, happened = _HAPPENED[about.kind]
    at = datetime.fromtimestamp(about.at / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
    says = f"{happened.format(url=url, detail=one_line(about.detail))}, on {at}{_by(about)}."
    ends = (
        f"If you expected that, do nothing. If not, {_OTHERWISE[about.kind]}, and tell the operator of the server. "
        "These mails cannot be switched off."
    )
    html = f"<p>{escape(says)}</p><p>{escape(ends)}</p>"
    return message(sender, about.address, subject, f"{says}\n\n{ends}\n", html, message_id)


def _by(about: Notice) -> str:
    if about.by == "administrator":
        return ", by an administrator"
    if about.by == "provider":
        return ", by the service that you sign in with"
    where = ", ".join(one_line(each) for each in (about.came_from, about.user_agent) if each)
    return f", from {where}" if where else ""
