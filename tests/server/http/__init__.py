"""tests/server/http"""
