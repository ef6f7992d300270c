"""Real processes against emulated AWS."""
