"""Alerts of the server itself, for operators who have no Prometheus."""
