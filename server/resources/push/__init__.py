"""Web Push: the browsers of a user that get notifications."""
