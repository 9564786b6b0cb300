"""Mails with a link that signs in: asked for by an address, or invitations."""

from typing import Final

LETTER_SECONDS: Final = 15 * 60
"""A link that was asked for is good for: the time to open a mailbox on another device. It is not sent later either."""
LETTER_INVITATION_SECONDS: Final = 3 * 24 * 3600
"""The link of an invitation: over a weekend."""
LETTER_PAUSE_SECONDS: Final = 60
"""Between two mails with links to one user: an address is typed by anyone."""
LETTERS_PER_HOUR: Final = 5
"""Of links, to one user: a person who finds none of five mails has another problem."""
LETTER_DAY_SECONDS: Final = 24 * 3600
"""One invitation to one user, to one thread, within a day: owners add and remove members again. Ended letters are kept
for so long, to know it."""
INVITATIONS_PER_DAY: Final = 10
"""To one user, to all threads: everyone may open threads, and no mailbox is flooded by them."""
LETTERS_ASKED: Final = 1_000
"""Requests of all users that wait to be handled: a second of writing. More are refused for now."""
LETTERS_AT_ONCE: Final = 16
"""Mails on their way to the mail server at the same time."""
LETTERS_DUE: Final = 64
"""That one look takes."""
LETTER_DELAYS: Final = (5, 20, 60, 180, 300, 1_800, 3_600, 7_200, 14_400, 28_800)
"""Seconds after each failed attempt. The first ones are within the time in which a link that was asked for helps."""
