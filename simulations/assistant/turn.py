"""One question's use of the tools: every call guarded, bounded and told of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from simulations.assistant.bounds import clip, sound
from simulations.assistant.names import NotFound
from simulations.assistant.reading import only_reading
from simulations.assistant.tools import TOOLS, Result
from simulations.fl import strict_json
from simulations.fl.strict_json import StrictJSONError

MAX_CALLS = 12
MAX_ARGUMENTS = 300


@dataclass(frozen=True)
class Used:
    """A tool that was asked, with its arguments as JSON text."""

    tool: str
    arguments: str


@dataclass
class Turn:
    """What was asked of the tools so far, and the last configuration that can be proposed."""

    used: list[Used] = field(default_factory=list)
    proposal: dict[str, Any] | None = None

    def call(self, tool: str, **arguments: Any) -> Result:
        """Ask a tool; `problem` in the answer says what it could not find."""
        if len(self.used) >= MAX_CALLS:
            return {"problem": f"No more than {MAX_CALLS} tools are asked for one question."}
        self.used.append(Used(tool, _shown(arguments)))
        try:
            with only_reading():
                result = TOOLS[tool](**arguments)
        except (NotFound, StrictJSONError) as error:
            return {"problem": sound(str(error))}
        self.proposal = result.get("proposal", self.proposal)
        return result


def _shown(arguments: Mapping[str, Any]) -> str:
    given = {name: value for name, value in arguments.items() if value not in ("", None, [])}
    return clip(sound(strict_json.dumps(given)), MAX_ARGUMENTS)
