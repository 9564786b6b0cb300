"""tests/storage/resources/context"""
