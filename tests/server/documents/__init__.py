"""tests/server/documents"""
