"""tests/storage/resources/acknowledgements"""
