"""tests/storage/readers"""
