"""What items are made of: content parts, annotations, log probabilities."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

__all__ = [
    "Annotation",
    "ContainerFileCitation",
    "ContentPart",
    "FileCitation",
    "FilePath",
    "OutputText",
    "ReasoningText",
    "Refusal",
    "SummaryText",
    "TokenLogprob",
    "UnknownAnnotation",
    "UnknownPart",
    "UrlCitation",
]


class _TokenLogprob(TypedDict, total=False):
    bytes: list[int] | None
    top_logprobs: list[Any]


class TokenLogprob(_TokenLogprob):
    """The log probability of one token."""

    token: str
    logprob: float


class _OfFile(TypedDict, total=False):
    filename: str
    index: int


class _OfSpan(TypedDict, total=False):
    start_index: int
    end_index: int


class FileCitation(_OfFile):
    """A file that the text rests on."""

    type: Literal["file_citation"]
    file_id: str


class FilePath(_OfFile):
    """A file that the model made."""

    type: Literal["file_path"]
    file_id: str


class ContainerFileCitation(_OfSpan, _OfFile):
    """A file in the container of the code interpreter."""

    type: Literal["container_file_citation"]
    container_id: str
    file_id: str


class _UrlCitation(_OfSpan, total=False):
    title: str


class UrlCitation(_UrlCitation):
    """A page that the text rests on."""

    type: Literal["url_citation"]
    url: str


class UnknownAnnotation(TypedDict):
    """Stands for any other type; see :class:`eugpt_fast.events.UnknownEvent`."""

    type: Literal["<unknown>"]


Annotation = FileCitation | FilePath | ContainerFileCitation | UrlCitation | UnknownAnnotation


class _OutputText(TypedDict, total=False):
    annotations: list[Annotation]
    logprobs: list[TokenLogprob] | None


class OutputText(_OutputText):
    """A part of a message: text."""

    type: Literal["output_text"]
    text: str


class Refusal(TypedDict):
    """A part of a message: why the model will not answer."""

    type: Literal["refusal"]
    refusal: str


class ReasoningText(TypedDict):
    """A part of a reasoning item: the model's thoughts."""

    type: Literal["reasoning_text"]
    text: str


class SummaryText(TypedDict):
    """A part of a reasoning item: the gist of the model's thoughts."""

    type: Literal["summary_text"]
    text: str


class UnknownPart(TypedDict):
    """Stands for any other type; see :class:`eugpt_fast.events.UnknownEvent`."""

    type: Literal["<unknown>"]


ContentPart = OutputText | Refusal | ReasoningText | SummaryText | UnknownPart
