"""tests/storage/resources/notices"""
