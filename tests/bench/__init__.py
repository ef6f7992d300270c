"""Benchmarks: they report, and never fail on time."""
