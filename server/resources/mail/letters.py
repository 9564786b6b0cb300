"""Letters that follow from an operation: whether there can be one, and that it is due now."""

from actors.errors import Conflict
from server.api.registry import Call
from server.outbound.mail.letters import Letters


def must_send_mail(call: Call, is_wanted: bool = True) -> None:
    """Raises `Conflict` where a mail is wanted that nothing can send."""
    if is_wanted:
        letters_of(call)


def letters_of(call: Call) -> Letters:
    letters = call.services.letters
    if letters is None:
        raise Conflict("This server sends no e-mail: its operator has not set SMTP_URL.")
    return letters


def look_at_letters(call: Call, is_wanted: bool) -> None:
    if is_wanted:
        letters_of(call).look_soon()
