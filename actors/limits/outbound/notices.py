"""Notices: mails about changes of an account."""

from typing import Final

NOTICES_PER_HOUR: Final = 20
"""To one user: enough to notice, and a client that makes API keys in a loop floods no mailbox."""
NOTICE_DAY_SECONDS: Final = 24 * 3600
"""A notice is tried for so long, and kept for so long: a mail server may be away for a night."""
NOTICE_DETAIL_CHARS: Final = 200
"""Of a name or an issuer that it shows."""
