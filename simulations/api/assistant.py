"""Ask the assistant."""

from __future__ import annotations

from typing import Any, Literal, Self

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema
from pydantic import Field, model_validator

from intellifl.problems import problem
from simulations.assistant import answering
from simulations.assistant.answering import Answer
from simulations.assistant.bounds import MAX_QUESTION
from simulations.assistant.endpoint import ModelFailed
from simulations.assistant.question import Question, Said

router = Router(tags=["Agent"])
MAX_MESSAGES = 100
RETRY_AFTER_S = 2


class Part(Schema):
    """A piece of a message; only text is read."""

    type: Literal["text"]
    text: str = Field(max_length=MAX_QUESTION)


class Message(Schema):
    """Something that was said: text, or a list of pieces of text."""

    role: Literal["user", "assistant"]
    content: str | list[Part]

    @property
    def text(self) -> str:
        if isinstance(self.content, str):
            return self.content
        return "\n".join(part.text for part in self.content)


class Chat(Schema):
    """A question: `message`, or the last of `messages`; what was said before it is the history."""

    message: str | None = Field(None, min_length=1, max_length=MAX_QUESTION)
    messages: list[Message] | None = Field(None, min_length=1, max_length=MAX_MESSAGES)
    history: list[Message] = Field([], max_length=MAX_MESSAGES)
    simulation_id: str = Field(
        "", pattern=r"^[A-Za-z0-9_-]{0,64}$", description="The simulation that “it” means."
    )

    @model_validator(mode="after")
    def one_question(self) -> Self:
        if (self.message is None) == (self.messages is None):
            raise ValueError("give either message or messages")
        if self.messages is not None and self.messages[-1].role != "user":
            raise ValueError("the last of messages must be the user's")
        return self

    def question(self) -> Question:
        text = self.messages[-1].text if self.messages else self.message or ""
        return Question(text, self.simulation_id)

    def said(self) -> list[Said]:
        earlier = [*self.history, *(self.messages or [])[:-1]]
        return [Said(message.role, message.text) for message in earlier]


class Asked(Schema):
    """A tool that was asked, with its arguments as JSON text."""

    tool: str
    arguments: str


class ChatAnswer(Schema):
    """The answer as Markdown and as safe HTML, and the configuration that it proposes, if any."""

    message: str
    html: str
    engine: Literal["rules", "model"]
    tools: list[Asked]
    proposal: dict[str, Any] | None


@router.post("/agent/chat", response=ChatAnswer)
def chat(request: HttpRequest, payload: Chat) -> dict[str, Any] | HttpResponse:
    """Answer a question about simulations; nothing is changed, a proposal is not started.

    Where the connected language model fails, the error's `answer` is what the fixed rules say.
    """
    question = payload.question()
    try:
        return _as_json(answering.answer(question, payload.said()))
    except ModelFailed as failure:
        instead = _as_json(answering.by_rules(question))
        response = problem(failure.status, str(failure), answer=instead)
        if failure.status == 503:
            response["Retry-After"] = str(RETRY_AFTER_S)
        return response


def _as_json(answer: Answer) -> dict[str, Any]:
    return {
        "message": answer.text,
        "html": answer.html,
        "engine": answer.engine,
        "tools": [{"tool": used.tool, "arguments": used.arguments} for used in answer.used],
        "proposal": answer.proposal,
    }
