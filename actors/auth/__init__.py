"""From a credential to an identity, and the end of access."""
