"""Builds what is published, and checks it as an installer meets it. See the Makefile for the jobs."""

from pathlib import Path

ROOT = Path(__file__).parent.parent
DIST = ROOT / "dist"
