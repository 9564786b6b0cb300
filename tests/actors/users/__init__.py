"""tests/actors/users"""
