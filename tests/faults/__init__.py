"""Faults: a campaign of kills over real processes, the predecessor's faults as scenarios, and hostile inputs."""
