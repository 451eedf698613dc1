"""A new simulation: by form or as JSON, from scratch, from an example or like an earlier one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from simulations import selectors, services
from simulations.fl import strict_json
from simulations.fl.attacks import ATTACKS
from simulations.fl.config import SimulationConfig
from simulations.fl.errors import ConfigError, StorageError
from simulations.pages.new import draft as drafts
from simulations.pages.new import presets
from simulations.pages.new.commands import Command, commands
from simulations.pages.new.draft import OTHER, Draft, NotShown
from simulations.pages.new.edits import edited
from simulations.pages.new.estimate import estimate
from simulations.pages.new.findings import placed
from simulations.pages.new.layout import Layout
from simulations.selectors import InvalidSimulationId, UnknownSimulation

SUBMITS = ("run", "check")
START = {"num_of_rounds": "10", "dataset_keyword": "mnist5k"}


@dataclass(frozen=True)
class Answer:
    """What the page says: the configuration, its text, and what is wrong with it.

    `errors` are by path of the form, `sentences` as the configuration's own; `is_form` is False
    when the form cannot show it.
    """

    config: Any
    text: str
    errors: Mapping[str, Sequence[str]] = field(default_factory=dict)
    sentences: Sequence[str] = ()
    status: int = 200
    is_form: bool = True


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Show the form, filled from an example or a simulation; change it; submit what is posted."""
    if request.method == "POST":
        is_json = "config_json" in request.POST
        return _posted_json(request) if is_json else _posted_form(request)
    config = _source(request)
    if config is not None:
        return _with_json(request, config, _written(config))
    count = drafts.number_of_columns(request.GET.get("strategies", ""))
    return _with_form(request, Draft(START, count))


def _posted_form(request: HttpRequest) -> HttpResponse:
    draft, action = drafts.posted(request.POST.dict()), _action(request)
    if action not in SUBMITS:
        return _with_form(request, edited(draft, action, request.POST.dict()))
    config, errors = draft.config()
    if errors:
        return _with_form(request, draft, status=422)
    return _submit(request, draft, Answer(config, _written(config)))


def _posted_json(request: HttpRequest) -> HttpResponse:
    text = request.POST["config_json"].replace("\r\n", "\n")
    try:
        config = strict_json.loads(text)
    except ValueError as error:
        wrong = Answer(None, text, sentences=[str(error)], status=422, is_form=False)
        return _page(request, Draft(START), wrong)
    if _action(request) not in SUBMITS:
        return _with_json(request, config, text)
    try:
        return _submit(request, drafts.drafted(config), Answer(config, text))
    except NotShown:
        return _submit(request, Draft(START), Answer(config, text, is_form=False))


def _with_form(request: HttpRequest, draft: Draft, status: int = 200) -> HttpResponse:
    config, errors = draft.config()
    return _page(request, draft, Answer(config, _written(config), errors, status=status))


def _with_json(request: HttpRequest, config: Any, text: str) -> HttpResponse:
    try:
        return _page(request, drafts.drafted(config), Answer(config, text))
    except NotShown as error:
        wrong = Answer(config, text, sentences=[str(error)], status=422, is_form=False)
        return _page(request, Draft(START), wrong)


def _submit(request: HttpRequest, draft: Draft, answer: Answer) -> HttpResponse:
    try:
        if _action(request) == "check":
            checked = services.check(answer.config)
            messages.success(request, "It can run.")
            for warning in checked.warnings:
                messages.warning(request, warning)
            return _page(request, draft, answer)
        simulation = services.create(answer.config).simulation
    except ConfigError as error:
        return _page(request, draft, replace(answer, sentences=error.errors, status=422))
    except StorageError as error:
        return _page(request, draft, replace(answer, sentences=[str(error)], status=507))
    return redirect("simulations:detail", simulation_id=simulation.simulation_id)


def _page(request: HttpRequest, draft: Draft, answer: Answer) -> HttpResponse:
    places = {OTHER, *Layout(draft, {}, None).places()} if answer.is_form else set()
    found, general = placed(answer.sentences, places, draft.is_structured)
    errors = {**answer.errors, **found}
    resolved = None if answer.errors else _resolved(answer.config)
    layout = Layout(draft, errors, resolved if answer.is_form else None)
    context = {
        "draft": draft,
        "groups": layout.groups(),
        "columns": layout.columns(),
        "other_errors": errors.get(OTHER, ()),
        "general": general,
        "count": sum(map(len, errors.values())) + len(general),
        "text": answer.text,
        "presets": presets.presets().values(),
        "attacks": [(name, attack.summary) for name, attack in sorted(ATTACKS.items())],
        "estimate": estimate(resolved),
        "commands": _commands(request, answer.config),
        **_original(request, answer.config),
    }
    return render(request, "simulations/new.html", context, status=answer.status)


def _commands(request: HttpRequest, config: Any) -> list[Command]:
    address = request.build_absolute_uri("/api/simulations")
    return [] if config is None else commands(config, address, settings.REQUIRE_AUTH)


def _resolved(config: Any) -> SimulationConfig | None:
    try:
        return services.check(config)
    except ConfigError:
        return None


def _original(request: HttpRequest, config: Any) -> dict[str, Any]:
    """Return the simulation that this one is to be like, and what is not as in it."""
    identifier = request.GET.get("like") or request.POST.get("like", "")
    if not identifier:
        return {}
    try:
        original = selectors.simulation(identifier)
    except (InvalidSimulationId, UnknownSimulation) as error:
        messages.error(request, str(error))
        return {}
    return {"original": original, "changes": presets.changes(original.config, config)}


def _source(request: HttpRequest) -> dict[str, Any] | None:
    """Return the configuration that the address names, or None for a new one."""
    known = presets.presets()
    if (example := request.GET.get("example", "")) in known:
        return known[example].config
    if earlier := request.GET.get("like", ""):
        try:
            return dict(selectors.simulation(earlier).config)
        except (InvalidSimulationId, UnknownSimulation):
            return None
    return None


def _action(request: HttpRequest) -> str:
    return request.POST.get("action", "run")


def _written(config: Any) -> str:
    return strict_json.dumps(config, indent=2)
