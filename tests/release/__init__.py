"""The release: what it has, and the upgrade from the one before."""
