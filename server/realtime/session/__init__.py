"""One client of the protocol: identity, subscriptions, calls."""
