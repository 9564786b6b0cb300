"""Letters: mails with a link that signs in."""
