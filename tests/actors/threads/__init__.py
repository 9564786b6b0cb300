"""tests/actors/threads"""
