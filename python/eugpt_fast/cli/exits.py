"""What the exit status tells."""

from __future__ import annotations

from .._verdict import Verdict

BAD_EVENT = 8
ERROR = 1
REQUESTS_FAILED = 9
REQUESTS_LEFT = 10
INTERRUPTED_BY_USER = 130  # as shells say it: 128 + SIGINT
PIPE_CLOSED = 141  # 128 + SIGPIPE

BY_VERDICT = {
    Verdict.COMPLETED: 0,
    Verdict.INCOMPLETE: 3,
    Verdict.FAILED: 4,
    Verdict.CANCELLED: 5,
    Verdict.ERROR: 6,
    Verdict.INTERRUPTED: 7,
}

EXIT_CODES = """\
exit status of demo, stream and parse:
  0  completed
  1  something else went wrong: no file, no connection, refused by the API
  2  wrong arguments
  3  incomplete: the model was stopped, by a token limit or a filter
  4  failed
  5  cancelled
  6  an error event
  7  interrupted: no terminal event came; worth another try
  8  an event that is no JSON, or is too large; the others were read
"""

BATCH_EXIT_CODES = """\
exit status of batch:
  0  every request has a result
  1  not started or broken off: a bad line, a file, no key, a wrong key,
     another run on this output; what was recorded is safe
  2  wrong arguments
  9  finished, but some requests failed: they are in the error file
 10  stopped with requests left, by the budget of tokens, an outage, or a key
     that was withdrawn
130  stopped by Ctrl-C with requests left
After 1, 10 and 130 the same command goes on where it stopped.
"""
