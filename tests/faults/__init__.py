"""Faults as scenarios: what is broken on purpose while jobs flow."""
