"""tests/actors/delivery"""
