"""The project's benchmarks: ``python -m benches``; README.md says how to read them."""

from pathlib import Path

ROOT = Path(__file__).parent.parent
