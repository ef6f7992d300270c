"""The charts, rendered: what each value does."""
