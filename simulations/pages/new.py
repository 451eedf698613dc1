"""A new simulation: by form or as JSON, from scratch, from an example or like an earlier one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from intellifl.environment import ROOT
from simulations import selectors, services
from simulations.fl import strict_json
from simulations.fl.errors import ConfigError, StorageError
from simulations.pages import form_fields
from simulations.selectors import InvalidSimulationId, UnknownSimulation

EXAMPLES = ROOT / "examples"
MAX_JSON = 1 << 20
START = {"num_of_rounds": "10", "dataset_keyword": "mnist5k"}


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Show the form, filled from an example or a simulation; submit what is posted."""
    if request.method == "POST":
        is_json = "config_json" in request.POST
        return _submit_json(request) if is_json else _submit_form(request)
    config = _source(request)
    if config is None:
        return _form(request, START)
    if "simulation_strategies" in config:
        return _form(request, START, text=strict_json.dumps(config, indent=2))
    return _form(request, form_fields.shown(config), text=strict_json.dumps(config, indent=2))


def _submit_form(request: HttpRequest) -> HttpResponse:
    values = {field.name: request.POST.get(field.name, "") for field in form_fields.form_fields()}
    config, errors = form_fields.entered(values)
    if errors:
        return _form(request, values, errors, status=422)
    return _submit(request, config, values)


def _submit_json(request: HttpRequest) -> HttpResponse:
    text = request.POST["config_json"][:MAX_JSON]
    try:
        config = strict_json.loads(text)
    except ValueError as error:
        return _form(request, START, {"": [str(error)]}, text=text, status=422)
    return _submit(request, config, START, text)


def _submit(
    request: HttpRequest, config: Any, values: Mapping[str, str], text: str = ""
) -> HttpResponse:
    try:
        if request.POST.get("action") == "check":
            checked = services.check(config)
            messages.success(request, "It can run.")
            for warning in checked.warnings:
                messages.warning(request, warning)
            shown_text = text or strict_json.dumps(config, indent=2)
            return _form(request, values, text=shown_text)
        simulation = services.create(config).simulation
    except ConfigError as error:
        return _form(request, values, _by_field(error.errors), text=text, status=422)
    except StorageError as error:
        return _form(request, values, {"": [str(error)]}, text=text, status=507)
    return redirect("simulations:detail", simulation_id=simulation.simulation_id)


def _form(
    request: HttpRequest,
    values: Mapping[str, str],
    errors: Mapping[str, list[str]] | None = None,
    text: str = "",
    status: int = 200,
) -> HttpResponse:
    errors = errors or {}
    names = {field.name for field in form_fields.form_fields()}
    context = {
        "groups": form_fields.groups(values, {} if text else errors),
        "general": [
            f"{path}: {message}" if path else message
            for path, found in errors.items()
            if text or path not in names
            for message in found
        ],
        "count": sum(map(len, errors.values())),
        "text": text,
        "examples": [path.stem for path in sorted(EXAMPLES.glob("*.json"))],
    }
    return render(request, "simulations/new.html", context, status=status)


def _by_field(errors: Iterable[str]) -> dict[str, list[str]]:
    """Sort sentences of the form `path: message` by the field that the path begins with."""
    found: dict[str, list[str]] = {}
    for error in errors:
        path, _, message = error.partition(": ")
        field = path.split("[")[0].split(".")[0]
        is_inside = path != field
        found.setdefault(field, []).append(error if is_inside else message)
    return found


def _source(request: HttpRequest) -> dict[str, Any] | None:
    """Return the configuration that the address names, or None for a new one."""
    example, earlier = request.GET.get("example", ""), request.GET.get("like", "")
    known = {path.stem: path for path in EXAMPLES.glob("*.json")}
    if example in known:
        config: dict[str, Any] = strict_json.loads(known[example].read_bytes())
        return config
    if earlier:
        try:
            config = dict(selectors.simulation(earlier).config)
        except (InvalidSimulationId, UnknownSimulation) as error:
            messages.error(request, str(error))
        else:
            return config
    return None
