"""The whole flow on one machine, without Docker: emulated AWS, simulators and agents."""
