"""Fixtures that every level of tests shares."""
