"""Credentials over HTTP: tokens, cookies, passwords, sign-in."""
