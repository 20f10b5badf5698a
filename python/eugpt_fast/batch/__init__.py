"""Very many requests, from a file of JSON lines to another, with nothing lost."""

from .errors import AlreadyRunning, BadKey, InputChanged, InvalidInput, OptionsChanged, OutputChanged
from .in_memory import complete_all
from .lines import InvalidLine, Line
from .options import Options
from .outcome import Outcome
from .runner import Summary, arun, run
from .stats import Stats
from .worker import Worker

__all__ = [
    "AlreadyRunning",
    "BadKey",
    "InputChanged",
    "InvalidInput",
    "InvalidLine",
    "Line",
    "Options",
    "OptionsChanged",
    "Outcome",
    "OutputChanged",
    "Stats",
    "Summary",
    "Worker",
    "arun",
    "complete_all",
    "run",
]
