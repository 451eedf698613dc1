"""A question's way: to the language model if one is connected, else to the fixed rules."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from simulations.assistant import endpoint, interpreter, markdown
from simulations.assistant.bounds import MAX_ANSWER, MAX_HISTORY, MAX_QUESTION, clip, sound
from simulations.assistant.endpoint import Endpoint, ModelFailed
from simulations.assistant.question import Question, Said
from simulations.assistant.turn import Turn, Used

AT_ONCE = 4
_places = threading.BoundedSemaphore(AT_ONCE)


@dataclass(frozen=True)
class Answer:
    """What is answered, in Markdown, by which engine, and a configuration that is proposed."""

    text: str
    engine: Literal["rules", "model"]
    used: Sequence[Used] = field(default_factory=list)
    proposal: dict[str, Any] | None = None

    @property
    def html(self) -> str:
        return markdown.html(self.text)


def answer(question: Question, history: Sequence[Said] = ()) -> Answer:
    """Answer by the model, or by the rules where none is connected. Raises ModelFailed."""
    connected = endpoint.configured()
    asked = _sound(question)
    if connected is None or not asked.text.strip():
        return by_rules(asked)
    return _by_model(connected, asked, history)


def by_rules(question: Question) -> Answer:
    turn = Turn()
    text = interpreter.answer(_sound(question), turn)
    return Answer(clip(text, MAX_ANSWER), "rules", turn.used, turn.proposal)


def _sound(question: Question) -> Question:
    return Question(clip(sound(question.text), MAX_QUESTION), question.about)


def _by_model(connected: Endpoint, question: Question, history: Sequence[Said]) -> Answer:
    if not _places.acquire(blocking=False):
        raise ModelFailed(
            f"The language model is answering {AT_ONCE} other questions; try again in a moment.",
            status=503,
        )
    try:
        # Its library takes more than a second and 50 MB: only those who ask a model pay for it.
        from simulations.assistant import model

        turn = Turn()
        text = model.answer(connected, question, list(history)[-MAX_HISTORY:], turn)
    finally:
        _places.release()
    return Answer(clip(sound(text), MAX_ANSWER), "model", turn.used, turn.proposal)
