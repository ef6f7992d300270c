"""The one failure of this folder: a part cannot be had on this machine."""


class Unavailable(Exception):
    """What cannot be had, and why."""
