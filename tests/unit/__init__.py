"""Modules on their own, with fakes at the seams; no network, no processes."""
