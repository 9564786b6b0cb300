"""tests/storage/resources"""
