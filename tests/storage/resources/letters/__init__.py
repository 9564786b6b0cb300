"""tests/storage/resources/letters"""
