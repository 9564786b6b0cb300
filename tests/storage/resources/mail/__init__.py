"""tests/storage/resources/mail"""
