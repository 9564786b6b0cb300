"""tests/server/api_docs"""
