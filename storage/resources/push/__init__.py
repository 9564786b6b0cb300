"""Subscriptions to Web Push: what is written, and how it is read."""
