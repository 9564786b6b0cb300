"""E-mail."""

from typing import Final

MAIL_SECONDS: Final = 30.0
"""For one message, from the connection to the mail server to its answer."""
MAIL_LISTED: Final = 20
"""Notifications that a digest shows; of more it says how many there are."""
MAIL_VERIFICATION_SECONDS: Final = 24 * 3600
"""A link that confirms an address is good for: mail may be read tomorrow."""
MAIL_ASKED_SECONDS: Final = 60
"""Between two mails to one user that ask to confirm the address: an address may be another person's."""
MAIL_LINK_CHARS: Final = 1_000
"""Of the token in a link; ours have some 300."""
