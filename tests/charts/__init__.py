"""The charts: rendered objects, and what the real API server says to them."""
