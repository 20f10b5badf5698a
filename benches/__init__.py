"""The project's benchmarks: ``python -m benches``; README.md says how to read them."""
