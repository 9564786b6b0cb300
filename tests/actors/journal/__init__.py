"""tests/actors/journal"""
