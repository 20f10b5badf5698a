"""JSON text to Python objects: :func:`json.loads` and our errors."""

from __future__ import annotations

import json
from typing import Any

from ..errors import EventDecodeError, EventTooDeep


def loads(text: str) -> Any:
    """The value of ``text``.

    Raises:
        EventDecodeError: it is not JSON, or holds an integer longer than ``sys.set_int_max_str_digits`` allows.
        EventTooDeep: it is nested deeper than the interpreter's stack allows.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise EventDecodeError(error.msg, error.doc, error.pos) from None
    except ValueError as error:
        raise EventDecodeError(str(error), text, 0) from error
    except RecursionError as error:
        raise EventTooDeep(str(error), text, 0) from None
