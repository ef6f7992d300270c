"""What the Makefile runs: set-up, locks, generated reference pages."""
