"""Webhooks: addresses that may be reached, signatures, requests, and what is due."""
