"""tests/storage/resources/notifications"""
