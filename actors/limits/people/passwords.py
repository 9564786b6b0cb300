"""Passwords: lengths, hashing, familiar places."""

from typing import Final

PASSWORD_CHARS_LEAST: Final = 12
"""As OWASP ASVS 2.1.1 has it; NIST SP 800-63B requires 8. Passwords that were set before stay good."""
PASSWORD_CHARS: Final = 256
"""Argon2 would hash megabytes, too: that is work for nothing."""
PASSWORDS_COMMON: Final = 10_000
"""Refused, of the list of zxcvbn, which has 30,000: the rarer ones are also what people say of themselves."""
PASSWORDS_AT_ONCE: Final = 2
"""Argon2id takes 64 MiB and a core for a moment, each."""
PASSWORDS_WAITING: Final = 32
"""From one address; beyond it signing in answers `overloaded`: the queue would only grow. Addresses take turns."""
PASSWORDS_WAITING_IN_ALL: Final = 512
"""From all addresses: clients give up before a longer queue is worked off."""
PLACES_KNOWN: Final = 200
"""Addresses from which an account has signed in, the newest: what a wrong password from elsewhere does not close."""
