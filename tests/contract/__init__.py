"""Adapters and simulator against recordings of real servers; the AWS stand-in against the emulator."""
