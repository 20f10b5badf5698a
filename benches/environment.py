"""What the figures were measured on, and the refusal to measure what would mislead."""

import importlib.metadata
import os
import platform
from pathlib import Path

import eugpt_fast

PACKAGES = ("openai", "httpx", "httpx2", "httpx-sse", "aiohttp", "orjson", "pydantic")


def refusal() -> str | None:
    """Why this build must not be measured, or None."""
    info = eugpt_fast.build_info()
    if info["backend"] != "native":
        return "this is the pure-Python backend: unset EUGPT_FAST_PURE, or run `make build`"
    if info["profile"] != "release":
        return f"this is a {info['profile']} build: run `make build` for a release build"
    return None


def describe() -> dict[str, str]:
    """Everything a reader needs to place the figures."""
    return {
        "cpu": _cpu_model(),
        "cores": str(os.cpu_count()),
        "platform": platform.platform(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "eugpt_fast": ", ".join(f"{key} {value}" for key, value in eugpt_fast.build_info().items()),
        **{name: importlib.metadata.version(name) for name in PACKAGES},
    }


def _cpu_model() -> str:
    # platform.processor() is empty or just the architecture on Linux.
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
