"""Many requests from a file, and nothing lost."""
