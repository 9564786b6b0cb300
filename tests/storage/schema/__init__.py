"""tests/storage/schema"""
