"""A person's conversation, kept in the session and bounded."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.utils.safestring import SafeString, mark_safe

from simulations.assistant import answering, markdown
from simulations.assistant.bounds import MAX_QUESTION, clip
from simulations.assistant.endpoint import ModelFailed
from simulations.assistant.question import Question, Said
from simulations.fl import strict_json

KEY = "assistant"
MAX_EXCHANGES = 10
MAX_CHARACTERS = 80_000


@dataclass(frozen=True)
class Exchange:
    """A question and its answer; `failure` says why the model did not give it."""

    question: str
    text: str
    engine: str
    failure: str = ""
    proposal: str = ""
    used: list[dict[str, str]] = field(default_factory=list)

    @property
    def html(self) -> SafeString:
        return mark_safe(markdown.html(self.text))

    @property
    def size(self) -> int:
        return len(self.question) + len(self.text) + len(self.proposal)


def kept(session: SessionBase) -> list[Exchange]:
    return [Exchange(**exchange) for exchange in session.get(KEY, [])]


def ask(session: SessionBase, text: str, about: str) -> Exchange:
    """Answer, by the rules where the model fails, and keep it with the latest exchanges."""
    earlier = kept(session)
    exchange = _exchange(Question(clip(text, MAX_QUESTION), about), _said(earlier))
    exchanges = [*earlier, exchange][-MAX_EXCHANGES:]
    while len(exchanges) > 1 and sum(one.size for one in exchanges) > MAX_CHARACTERS:
        exchanges = exchanges[1:]
    session[KEY] = [asdict(one) for one in exchanges]
    return exchange


def forget(session: SessionBase) -> None:
    session.pop(KEY, None)


def _exchange(question: Question, history: list[Said]) -> Exchange:
    failure = ""
    try:
        answer = answering.answer(question, history)
    except ModelFailed as failed:
        failure = str(failed)
        answer = answering.by_rules(question)
    proposal: Any = answer.proposal
    return Exchange(
        question=question.text,
        text=answer.text,
        engine=answer.engine,
        failure=failure,
        proposal="" if proposal is None else strict_json.dumps(proposal, indent=2),
        used=[asdict(used) for used in answer.used],
    )


def _said(exchanges: list[Exchange]) -> list[Said]:
    said = []
    for exchange in exchanges:
        said += [Said("user", exchange.question), Said("assistant", exchange.text)]
    return said
