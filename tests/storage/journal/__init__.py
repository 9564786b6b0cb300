"""tests/storage/journal"""
