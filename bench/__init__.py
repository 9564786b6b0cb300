"""Benchmarks: the server beside its yardsticks, in one run. See README.md."""
