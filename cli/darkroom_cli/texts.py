"""Texts from outside, and numbers, as they may stand on a terminal. Pure."""


def plain(text: str) -> str:
    """A text as it may stand on a terminal: control characters are shown, not obeyed."""
    return "".join(one if one.isprintable() or one == "\n" else one.encode("unicode_escape").decode() for one in text)


def duration(seconds: float) -> str:
    """Seconds as people say them: `0.42 s`, `12 s`, `3 min`, `5 h`, `2 d`."""
    for limit, unit, size in ((120, "s", 1), (7200, "min", 60), (172_800, "h", 3600)):
        if seconds < limit:
            return f"{seconds:.2f} s" if seconds < 10 else f"{seconds / size:.0f} {unit}"
    return f"{seconds / 86_400:.0f} d"
