"""tests/storage/resources/members"""
