"""tests/storage/resources/retention"""
