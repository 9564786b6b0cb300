"""tests/storage/resources/holds"""
