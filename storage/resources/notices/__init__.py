"""Notices: mails about changes of an account."""
