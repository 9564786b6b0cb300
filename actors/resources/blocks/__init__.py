"""Blocks: what a message may show beside its text. Pure: a profile is data, checks are compiled from it."""
