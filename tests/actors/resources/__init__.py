"""tests/actors/resources"""
