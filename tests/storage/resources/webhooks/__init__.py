"""tests/storage/resources/webhooks"""
