"""charts/platform, rendered with its dependencies and installed into a real API server."""
