"""The charts in a real API server: each object taken, releases upgraded and removed, Terraform's outputs put in."""
