"""tests/server/auth"""
