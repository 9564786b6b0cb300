"""tests/storage/resources/push"""
