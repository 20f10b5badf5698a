"""Mistakes: a type checker has to tell each, and nothing else. Never run."""

from __future__ import annotations

from eugpt_fast import stream
from eugpt_fast.events import Event


def misread(event: Event) -> None:
    print(event["delta"])  # mistake: most events have none
    if event["type"] == "response.output_text.delta":
        print(event["dleta"])  # mistake: no such key
        print(event["delta"] + 1)  # mistake: it is text
        print(event["response"])  # mistake: another event's key
    if event["type"] == "response.output_text.dleta":  # mistake: no such type
        pass
    if event["type"] == "response.output_item.done" and event["item"]["type"] == "function_call":
        print(event["item"]["argumens"])  # mistake: no such key


for each in stream("Hi"):
    print(each.type)  # mistake: events are dicts
