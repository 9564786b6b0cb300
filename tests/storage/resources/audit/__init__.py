"""tests/storage/resources/audit"""
