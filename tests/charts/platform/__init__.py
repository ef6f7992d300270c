"""charts/platform, rendered with its dependencies."""
