"""Numbers as people read them."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["causes", "count", "printable", "rate", "span", "time"]


def count(number: int) -> str:
    """12345 as 12,345."""
    return f"{number:,}"


def rate(per_second: float) -> str:
    """Two digits where they tell something: 0.25, 7.5, 142, 12,345."""
    digits = 2 if per_second < 1 else 1 if per_second < 100 else 0
    return f"{per_second:,.{digits}f}"


def time(seconds: float | None) -> str:
    """A short time: 850 µs, 12 ms, 1.25 s, 12.5 s, 125 s, or a dash where there is none."""
    if seconds is None:
        return "-"
    if seconds < 0.000_999_5:
        return f"{seconds * 1e6:.0f} µs"
    if seconds < 0.999_5:
        return f"{seconds * 1e3:.0f} ms"
    digits = 2 if seconds < 9.995 else 1 if seconds < 99.95 else 0
    return f"{seconds:,.{digits}f} s"


def span(seconds: float) -> str:
    """A long time on a clock: 0:42, 12:03, 3:05:09, 2 d 03:05:09."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    if days:
        return f"{days:,} d {hour:02}:{minute:02}:{second:02}"
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def causes(counts: Mapping[str, int], most: int = 6) -> str:
    """Counts by cause, the most frequent first: ``429: 40, interrupted: 17``."""
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    shown = [f"{cause}: {count(number)}" for cause, number in ordered[:most]]
    rest = sum(number for _, number in ordered[most:])
    return ", ".join([*shown, f"others: {count(rest)}"] if rest else shown)


def printable(text: str, most: int) -> str:
    """What a server may have said, harmless to a terminal and no longer than ``most`` characters."""
    return "".join(filter(str.isprintable, text[:most]))
