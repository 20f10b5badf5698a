"""One call against the API, with its retries."""
