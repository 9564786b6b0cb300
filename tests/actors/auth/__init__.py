"""tests/actors/auth"""
