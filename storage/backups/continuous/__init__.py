"""Continuous backup: what SQLite's write-ahead log gains is shipped to the shelf, about every second."""
