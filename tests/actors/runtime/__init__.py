"""tests/actors/runtime"""
