"""tests/storage/resources/users"""
