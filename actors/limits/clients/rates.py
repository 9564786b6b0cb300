"""Rate limits: `<so many>/<s or min>:<burst>`, for each user or address."""

from typing import Final

RATE_READ: Final = "100/s:400"
"""A busy screen sends ten requests at once; a program that pages through everything reads 10,000 items a second."""
RATE_WRITE: Final = "60/s:300"
"""More than a person types: enough for an assistant that streams three answers at 20 appends a second, or an import."""
RATE_ADMIN: Final = "20/s:100"
"""By hand, or a script that makes users one by one."""
RATE_AUDITED: Final = "30/min:60"
"""Exports, API keys, passwords: each leaves half a kilobyte in the audit log for good. A person does a few a day."""
RATE_COSTLY: Final = "10/s:100"
"""Searches, pages of an export, the audit log, sums over all tables: a search for each letter that is typed fits."""
RATE_AUTH: Final = "60/min:120"
"""From one address, for each way of signing in, of those attempts that fail: one that is good is given back. An office
behind one address signs in within minutes of nine o'clock."""
RATE_SIGN_IN: Final = "30/min:60"
"""Of one user, those that are good: each makes a session and an audit entry."""
RATE_GUESSES: Final = "5/min:10"
"""Wrong ones for one account from one place: ten tries find a mistyped password, 7,000 a day do not find a good one."""
RATE_GUESSES_FAMILIAR: Final = "30/min:20"
"""The same for an address from which the owner has signed in before: an attacker behind it who tries every two seconds
does not lock the owner out."""
RATE_GUESSES_PLACE: Final = "30/min:60"
"""Wrong passwords from one address for all accounts. Half of RATE_AUTH: the rest remains for other ways to sign in."""
RATE_GUESSES_STRANGERS: Final = "12/min:100"
"""Wrong ones for one account from all places that are new to it: one place alone, or two, never empty it; many are a
guess by many, and then the account is open only to places that it knows."""
RATE_REFUSED: Final = "60/min:200"
"""Tokens that proved no good, from one address: a page with an old token in many tabs meets a few 401s, no more."""
RATE_REFUSALS: Final = "200/s:2000"
"""Refusals of any kind to strangers at one address, 0.3 ms each. Beyond it they are answered late."""
REFUSAL_WAIT_SECONDS: Final = 2.0
"""How late at most: a thousand connections that ask for nothing but refusals get 500 a second."""
AUDIT_REFUSED: Final = "5/s:200"
"""Refused sign-ins from anywhere that get an entry in the audit log: half a kilobyte each, for good."""
RATE_SUBJECTS: Final = 50_000
"""Buckets of each kind, 250 bytes each: the least recently used one is dropped, as if it were full."""
