"""Fixed rules that make a question into calls of tools: no model, the same answer every time."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from simulations.assistant import drafting_words, sentences, terms
from simulations.assistant.markdown import plain
from simulations.assistant.question import Question
from simulations.assistant.turn import Turn
from simulations.fl import strict_json
from simulations.fl.strict_json import StrictJSONError
from simulations.models import Status

MAX_SENTENCE = 2_000
THIS = re.compile(r"(?:this|the|that|current)?\s*(?:run|simulation|one|it|page)?", re.IGNORECASE)
WORDS_AROUND = re.compile(r"^(?:the|my|a|run|simulation|called|named|\s)+(?=\S)|[\s?.!,;:]+$", re.I)


Rule = Callable[[re.Match[str], Question, Turn], str]


def answer(question: Question, turn: Turn) -> str:
    """Return the answer in Markdown; what is not understood is answered by what can be asked."""
    text = question.text.replace("\0", "")
    begin, end = text.find("{"), text.rfind("}")
    if 0 <= begin < end:
        return _validate(text[begin : end + 1], turn)
    asked = Question(" ".join(text[:MAX_SENTENCE].split()), question.about)
    for pattern, rule in RULES:
        found = pattern.search(asked.text)
        if found is not None:
            return rule(found, asked, turn)
    return _unknown(asked, turn)


def _ask(turn: Turn, tool: str, **arguments: Any) -> str:
    return sentences.said(tool, turn.call(tool, **arguments))


def _run(given: str | None, question: Question) -> str:
    """Return the name of the run that is meant: the one of the page unless another is named."""
    name = WORDS_AROUND.sub("", (given or "").strip()).strip()
    if THIS.fullmatch(name):
        return question.about
    return name


def _help(found: re.Match[str], question: Question, turn: Turn) -> str:
    return sentences.ABILITIES


def _refuse(found: re.Match[str], question: Question, turn: Turn) -> str:
    return (
        f"I only read, so I cannot {found['verb'].lower()} anything. You can, on the run's own "
        "page or in the [list of simulations](/simulations/)."
    )


def _validate(text: str, turn: Turn) -> str:
    try:
        config = strict_json.loads(text)
    except StrictJSONError as error:
        return f"This is not a configuration: {plain(error)}."
    return _ask(turn, "validate_config", config=config)


def _validate_nothing(found: re.Match[str], question: Question, turn: Turn) -> str:
    return "Paste the configuration as JSON after the word *validate*."


def _client(found: re.Match[str], question: Question, turn: Turn) -> str:
    run = _run(found["run"], question) or "latest"
    return _ask(turn, "explain_client", simulation=run, client_id=int(found["client"]))


def _log(found: re.Match[str], question: Question, turn: Turn) -> str:
    return _ask(turn, "read_log", simulation=_run(found["run"], question) or "latest")


def _failure(found: re.Match[str], question: Question, turn: Turn) -> str:
    run = _run(found["run"], question)
    state = turn.call("get_simulation", simulation=run or "latest")
    said = sentences.said("get_simulation", state)
    if state.get("status") != Status.FAILED:
        return said
    return f"{said}\n\n{_ask(turn, 'read_log', simulation=state['simulation_id'])}"


def _draft(found: re.Match[str], question: Question, turn: Turn) -> str:
    return _ask(turn, "draft_config", **drafting_words.wishes(question.text))


def _compare(found: re.Match[str], question: Question, turn: Turn) -> str:
    parts = re.split(r"\s*(?:,|\band\b|\bwith\b|\bto\b|\bvs\.?|\bversus\b|&)\s*", found["runs"])
    named = [name for part in parts if (name := WORDS_AROUND.sub("", part.strip()).strip())]
    keywords = terms.strategies(found["runs"])
    if named and len(keywords) >= len(named):
        return _ask(turn, "best_strategies", strategies=keywords, **_filters(question.text))
    runs = [_run(name, question) for name in named] if named else [question.about]
    if re.fullmatch(r"(?:the\s+)?strategies.*", found["runs"].strip(), re.I):
        runs = [_run(re.sub(r"^.*?strategies(?:\s+(?:of|in))?", "", found["runs"]), question)]
    if len(runs) == 1 and question.about and runs[0] not in ("", question.about) and named:
        runs.append(question.about)
    return _ask(turn, "compare_simulations", simulations=[run or "latest" for run in runs])


def _best(found: re.Match[str], question: Question, turn: Turn) -> str:
    keywords = terms.strategies(question.text)
    return _ask(turn, "best_strategies", strategies=keywords, **_filters(question.text))


def _explain(found: re.Match[str], question: Question, turn: Turn) -> str:
    name = found["name"].strip(" ?.!\"'")
    result = turn.call("explain", name=name)
    if "problem" in result:
        state = turn.call("get_simulation", simulation=_run(name, question) or question.about)
        if "problem" not in state:
            return sentences.said("get_simulation", state)
    return sentences.said("explain", result)


def _status(found: re.Match[str], question: Question, turn: Turn) -> str:
    run = _run(found["run"], question)
    if not run or run.lower() in ("queue", "everything", "all", "all runs"):
        return _ask(turn, "queue_status")
    return _ask(turn, "get_simulation", simulation=run)


def _list(found: re.Match[str], question: Question, turn: Turn) -> str:
    statuses = [status for status in Status.values if status in question.text.lower()]
    strategies = terms.strategies(question.text)
    return _ask(
        turn,
        "list_simulations",
        status=statuses[0] if statuses else "",
        strategy=strategies[0] if strategies else "",
        **_filters(question.text),
    )


def _filters(text: str) -> dict[str, str]:
    datasets, attacks = terms.datasets(text), terms.attacks(text)
    return {"dataset": datasets[0] if datasets else "", "attack": attacks[0] if attacks else ""}


def _unknown(question: Question, turn: Turn) -> str:
    """Take a bare term for a wish to have it explained, and a bare name for one to see the run."""
    text = question.text.strip(" ?.!")
    if text and len(text) <= 100:
        for tool, arguments in (
            ("explain", {"name": text}),
            ("get_simulation", {"simulation": text}),
        ):
            result = turn.call(tool, **arguments)
            if "problem" not in result:
                return sentences.said(tool, result)
    return f"I do not understand that.\n\n{sentences.ABILITIES}" if text else sentences.ABILITIES


def _rule(pattern: str, rule: Rule) -> tuple[re.Pattern[str], Rule]:
    return re.compile(pattern, re.IGNORECASE), rule


OF_RUN = r"(?:\s+(?:in|of|from|for|at)\s+(?P<run>.+))?"
RULES: list[tuple[re.Pattern[str], Rule]] = [
    _rule(r"^\W*(?:help|hello|hi|hey|what can (?:you|i)\b.*|who are you\b.*)\W*$", _help),
    _rule(r"^\W*(?:please\s+)?(?:validate|check)\b", _validate_nothing),
    _rule(r"\b(?:draft|propose|configure|configuration|config)\b", _draft),
    _rule(
        r"^\W*(?:please\s+)?(?:make|create|write|generate|set up|run|launch|start)\b"
        r"(?=.*\b(?:with|on|under|against|rounds|clients)\b)",
        _draft,
    ),
    _rule(
        r"^\W*(?:please\s+|can you\s+|could you\s+)?"
        r"(?P<verb>launch|start|stop|delete|remove|rename|resume|cancel|kill|archive|run)\b",
        _refuse,
    ),
    _rule(r"\bclient\s*#?\s*(?P<client>\d{1,9})(?:\s+\w+){0,6}?" + OF_RUN + r"\W*$", _client),
    _rule(r"\b(?:log|logs|output)\b" + OF_RUN + r"\W*$", _log),
    _rule(
        r"\bwhy\s+(?:did|has|is)\s+(?P<run>.+?)\s+(?:fail|failed|stop|stopped|crash|crashed)\b",
        _failure,
    ),
    _rule(r"\berrors?\b" + OF_RUN + r"\W*$", _failure),
    _rule(r"\b(?P<run>)(?:queue|anything running|what(?:'s| is) running)\b", _status),
    _rule(r"\bcompare\b\s*(?P<runs>.*)$", _compare),
    _rule(r"^(?P<runs>.+\s(?:vs\.?|versus)\s.+)$", _compare),
    _rule(r"\b(?:best|highest|winner|wins|top)\b", _best),
    _rule(
        r"\b(?:explain|describe|what\s+is|what\s+are|what\s+does|how\s+does|what's|tell\s+me\s+about)\s+"
        r"(?P<name>.+?)(?:\s+(?:do|does|work|mean))?\W*$",
        _explain,
    ),
    _rule(r"\b(?:status|progress|state)\b(?:\s+(?:of|for|in))?\s*(?P<run>.*)$", _status),
    _rule(r"\bhow\s+far\s+(?:is|are)\s+(?P<run>.+)$", _status),
    _rule(r"\b(?:list|show|which|find|runs|simulations)\b", _list),
]
