"""Signing in with an identity provider."""

from typing import Final

SIGN_IN_ATTEMPT_SECONDS: Final = 600
"""For one attempt with an identity provider: time to find the password and the second factor. An older one is
void."""
RETURN_TO_BYTES: Final = 2048
"""Of the page to return to: a cookie, with its name, holds 4096."""
HOSTED_DOMAIN_CHARS: Final = 255
"""Of a domain in a Google account: as DNS has it."""
PROVIDER_SECONDS: Final = 5.0
"""For each call to an identity provider; a person sits in front of their browser and waits for up to four of them."""
PROVIDER_BYTES: Final = 256 * 1024
"""Of a provider's answer: metadata and tokens are a few KiB."""
PROVIDER_METADATA_SECONDS: Final = 600.0
"""Then a provider's metadata and keys are fetched anew at the next sign-in: a key that was withdrawn is not good for
longer."""
OAUTH_STATE_SECONDS: Final = 600
"""Of the cookie of an attempt: as long as the attempt itself is good."""
