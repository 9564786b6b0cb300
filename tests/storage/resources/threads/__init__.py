"""tests/storage/resources/threads"""
