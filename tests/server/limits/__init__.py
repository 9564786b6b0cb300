"""tests/server/limits"""
