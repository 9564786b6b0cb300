"""tests/actors/text"""
