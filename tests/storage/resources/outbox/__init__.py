"""tests/storage/resources/outbox"""
