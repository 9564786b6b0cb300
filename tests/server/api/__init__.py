"""tests/server/api"""
