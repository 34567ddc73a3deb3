"""On what was measured: figures of another machine say nothing without it."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

from django.db import connection


def describe() -> str:
    """Return the machine, what runs on it, and how busy it is besides, in lines."""
    packages = ", ".join(
        f"{name} {version(name)}" for name in ("django", "granian", "cryptography")
    )
    return "\n".join(
        (
            f"machine: {os.cpu_count()} cores ({_processor()}), {_memory()} of memory",
            f"runs: Python {platform.python_version()}, {packages}, {_database()}",
            f"load before: {load()}",
        )
    )


def load() -> str:
    """Return how many processes wanted a core in the last minute, on average."""
    return f"{os.getloadavg()[0]:.1f}"


def _processor() -> str:
    for line in _lines("/proc/cpuinfo"):
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def _memory() -> str:
    for line in _lines("/proc/meminfo"):
        if line.startswith("MemTotal"):
            return f"{int(line.split()[1]) / 2**20:.0f} GiB"
    return "unknown"


def _lines(path: str) -> list[str]:
    file = Path(path)
    return file.read_text().splitlines() if file.exists() else []


def _database() -> str:
    connection.ensure_connection()
    number = ".".join(map(str, connection.get_database_version()))
    return f"{connection.display_name} {number}"
