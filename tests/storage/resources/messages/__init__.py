"""tests/storage/resources/messages"""
