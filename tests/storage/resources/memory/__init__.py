"""tests/storage/resources/memory"""
