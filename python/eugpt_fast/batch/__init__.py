"""Very many requests, from a file of JSON lines to another, with nothing lost."""
