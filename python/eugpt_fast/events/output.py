"""Events about output items: their text, their reasoning, and the items themselves."""

from __future__ import annotations

from typing import Literal

from .content import Annotation, ContentPart, TokenLogprob
from .items import OutputItem
from .places import InItem, InPart, InSummary, Numbered, PieceOfItem, PieceOfPart, PieceOfSummary

__all__ = [
    "AnnotationAdded",
    "AudioDelta",
    "AudioDone",
    "AudioTranscriptDelta",
    "AudioTranscriptDone",
    "ContentPartAdded",
    "ContentPartDone",
    "OutputEvent",
    "OutputItemAdded",
    "OutputItemDone",
    "OutputTextDelta",
    "OutputTextDone",
    "ReasoningSummaryPartAdded",
    "ReasoningSummaryPartDone",
    "ReasoningSummaryTextDelta",
    "ReasoningSummaryTextDone",
    "ReasoningTextDelta",
    "ReasoningTextDone",
    "RefusalDelta",
    "RefusalDone",
]


class OutputItemAdded(InItem):
    """An item begins."""

    type: Literal["response.output_item.added"]
    item: OutputItem


class OutputItemDone(InItem):
    """An item is whole."""

    type: Literal["response.output_item.done"]
    item: OutputItem


class ContentPartAdded(InPart):
    """A part of an item begins."""

    type: Literal["response.content_part.added"]
    part: ContentPart


class ContentPartDone(InPart):
    """A part of an item is whole."""

    type: Literal["response.content_part.done"]
    part: ContentPart


class _OutputTextDelta(PieceOfPart, total=False):
    logprobs: list[TokenLogprob] | None


class OutputTextDelta(_OutputTextDelta):
    """More text."""

    type: Literal["response.output_text.delta"]
    delta: str


class _OutputTextDone(InPart, total=False):
    logprobs: list[TokenLogprob] | None


class OutputTextDone(_OutputTextDone):
    """The text of a part, whole."""

    type: Literal["response.output_text.done"]
    text: str


class _AnnotationAdded(InPart, total=False):
    annotation_index: int


class AnnotationAdded(_AnnotationAdded):
    """What a text rests on."""

    type: Literal["response.output_text.annotation.added"]
    annotation: Annotation


class RefusalDelta(PieceOfPart):
    """More of a refusal."""

    type: Literal["response.refusal.delta"]
    delta: str


class RefusalDone(InPart):
    """A refusal, whole."""

    type: Literal["response.refusal.done"]
    refusal: str


class ReasoningTextDelta(PieceOfPart):
    """More of what the model thinks."""

    type: Literal["response.reasoning_text.delta"]
    delta: str


class ReasoningTextDone(InPart):
    """What the model thought, whole."""

    type: Literal["response.reasoning_text.done"]
    text: str


class ReasoningSummaryPartAdded(InSummary):
    """A part of the summary begins."""

    type: Literal["response.reasoning_summary_part.added"]
    part: ContentPart


class _ReasoningSummaryPartDone(InSummary, total=False):
    status: str | None


class ReasoningSummaryPartDone(_ReasoningSummaryPartDone):
    """A part of the summary is whole."""

    type: Literal["response.reasoning_summary_part.done"]
    part: ContentPart


class ReasoningSummaryTextDelta(PieceOfSummary):
    """More of the summary of what the model thinks."""

    type: Literal["response.reasoning_summary_text.delta"]
    delta: str


class ReasoningSummaryTextDone(InSummary):
    """A part of the summary, whole."""

    type: Literal["response.reasoning_summary_text.done"]
    text: str


class AudioDelta(PieceOfItem):
    """More sound, in base64."""

    type: Literal["response.audio.delta"]
    delta: str


class AudioDone(Numbered):
    """The sound is whole."""

    type: Literal["response.audio.done"]


class AudioTranscriptDelta(PieceOfItem):
    """More of what the sound says."""

    type: Literal["response.audio.transcript.delta"]
    delta: str


class AudioTranscriptDone(Numbered):
    """What the sound says is whole."""

    type: Literal["response.audio.transcript.done"]


OutputEvent = (
    OutputTextDelta
    | OutputTextDone
    | OutputItemAdded
    | OutputItemDone
    | ContentPartAdded
    | ContentPartDone
    | AnnotationAdded
    | RefusalDelta
    | RefusalDone
    | ReasoningTextDelta
    | ReasoningTextDone
    | ReasoningSummaryPartAdded
    | ReasoningSummaryPartDone
    | ReasoningSummaryTextDelta
    | ReasoningSummaryTextDone
    | AudioDelta
    | AudioDone
    | AudioTranscriptDelta
    | AudioTranscriptDone
)
