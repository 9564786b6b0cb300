"""Actions on the blocks of messages and artifacts."""

from typing import Final

from actors.limits.units import KIB

ACTION_STATE_BYTES: Final = 64 * KIB
"""Of the value and the state of inputs together: a form of long texts, as JSON."""
ACTION_ID_CHARS: Final = 255
"""Of a block or an element; or the JSON pointer of one that has no id."""
ACTIONS_PENDING: Final = 20
"""Of one user on one message or artifact: who clicks on does not fill the author's list."""
ACTION_SECONDS: Final = 7 * 24 * 3600
"""How long an action waits for its author, who may be down for a weekend."""
ACTIONS_KEPT_SECONDS: Final = 90 * 24 * 3600
"""How long an ended action is kept. An approval stays as long as what it stands in: it counts once."""
ACTION_TEXT_CHARS: Final = 3000
"""Of what the author says to who acted: as a text of a block."""
ACTION_ERRORS: Final = 100
"""Fields that the author finds fault with: a form has as many inputs."""
ACTION_ERROR_CHARS: Final = 300
"""A sentence or two beside an input."""
FORM_MEMBERS: Final = 50
"""Members who are notified that a form has expired, as many as a message may name; of more none is, but the author."""
OPTIONS_SECONDS: Final = 3.0
"""How long an author is waited for while a person looks at an empty list."""
OPTIONS_WAITING_OF_USER: Final = 5
"""A person types on before the first list has come; and has several devices."""
OPTIONS_WAITING: Final = 1_000
"""Of all users: each holds a request of HTTP open."""
OPTIONS_QUERY_CHARS: Final = 150
"""What is typed into a list, as a value of it."""
