"""The documented HTTP API: mounts the routers and translates every error once."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI, Redoc
from ninja.errors import HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema
from ninja.parser import Parser
from ninja.renderers import BaseRenderer
from ninja.responses import NinjaJSONEncoder

from datasets_app import api as datasets
from intellifl import problems
from intellifl.problems import problem
from simulations import result_files, selectors, services
from simulations.api import (
    assistant,
    body,
    plots,
    queue,
    results,
    simulations,
    streams,
    system,
    validation,
)
from simulations.api.config_schema import config_schemas
from simulations.fl.errors import ConfigError, DataError, StorageError
from simulations.fl.strict_json import StrictJSONError, finite
from simulations.models import Simulation
from terminal import api as terminal_api

DESCRIPTION = "Configure, run, watch and compare federated-learning simulations under attack."
TOO_LARGE = "The body has more than 1 MiB."
PROBLEM_ANSWER = {
    "description": "Any error",
    "content": {problems.CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


class StrictParser(Parser):
    """Reads bodies as strict JSON."""

    def parse_body(self, request: HttpRequest) -> Any:
        return body.read(request)


class StrictRenderer(BaseRenderer):
    """Writes JSON that has no NaN."""

    media_type = "application/json"

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> str:
        return json.dumps(finite(data), cls=NinjaJSONEncoder, ensure_ascii=False, allow_nan=False)


class Api(NinjaAPI):
    """The API, whose schema also has the configuration and the shape of errors."""

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        schema = super().get_openapi_schema(**options)
        schema["components"]["schemas"] |= {"Problem": problems.SCHEMA, **config_schemas()}
        for methods in schema["paths"].values():
            for operation in methods.values():
                operation["responses"]["default"] = PROBLEM_ANSWER
        return schema


api = Api(
    title="intellifl",
    version=version("intellifl"),
    description=DESCRIPTION,
    docs_url="/docs",
    openapi_url="/openapi.json",
    parser=StrictParser(),
    renderer=StrictRenderer(),
)
api.add_router("", system.root_router)
for router in (
    simulations.router,
    results.router,
    plots.router,
    streams.router,
    validation.router,
    datasets.router,
    queue.router,
    system.router,
    terminal_api.router,
    assistant.router,
):
    api.add_router("/api", router)


def redoc(request: HttpRequest) -> HttpResponse:
    """Show the API's documentation by ReDoc, from local files."""
    return Redoc().render_page(request, api)


SENTENCES: dict[type[Exception], int] = {
    selectors.InvalidSimulationId: 400,
    selectors.UnknownSimulation: 404,
    services.InvalidName: 400,
    services.NotAllowed: 409,
    result_files.UnsupportedType: 400,
    result_files.NoSuchFile: 404,
    body.UnsupportedMediaType: 415,
    StorageError: 507,
    DataError: 500,
    SuspiciousOperation: 400,
}
"""Exceptions whose text is the answer's detail, with the answer's status."""


def _say(status: int) -> Callable[[HttpRequest, Any], HttpResponse]:
    return lambda request, error: problem(status, problems.sentence(str(error)))


def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    # ninja hides what the parser raised behind an error of its own.
    if isinstance(error.__cause__, StrictJSONError | body.UnsupportedMediaType | RequestDataTooBig):
        return api.on_exception(request, error.__cause__)
    return problem(error.status_code, problems.sentence(error.message))


def _bad_json(request: HttpRequest, error: StrictJSONError) -> HttpResponse:
    return problem(422, problems.sentence(str(error)), [str(error)])


def _bad_config(request: HttpRequest, error: ConfigError) -> HttpResponse:
    return problem(
        422, problems.first_of(error.errors, "The configuration cannot run"), error.errors
    )


def _bad_request(request: HttpRequest, error: ValidationError) -> HttpResponse:
    messages = [_message(found) for found in error.errors]
    return problem(422, problems.first_of(messages, "The request is not valid"), messages)


def _gone(request: HttpRequest, error: Exception) -> HttpResponse:
    return problem(404, "The simulation was deleted meanwhile.")


def _message(found: dict[str, Any]) -> str:
    """Return `field.path: message`, without the names of the request's part and our parameter."""
    place, *path = found["loc"]
    own = path[1:] if place in ("body", "query", "header") and len(path) > 1 else path
    text = found["msg"].removeprefix("Value error, ")
    return f"{'.'.join(str(part) for part in own)}: {text}"


HANDLERS: dict[type[Exception], Callable[[HttpRequest, Any], HttpResponse]] = {
    **{kind: _say(status) for kind, status in SENTENCES.items()},
    HttpError: _http_error,
    ValidationError: _bad_request,
    StrictJSONError: _bad_json,
    ConfigError: _bad_config,
    RequestDataTooBig: lambda *_: problem(413, TOO_LARGE),
    Simulation.DoesNotExist: _gone,
    Http404: lambda request, _: problem(404, problems.no_route(request)),
    OperationalError: problems.busy,
    Exception: problems.unexpected,
}
for kind, handler in HANDLERS.items():
    api.add_exception_handler(kind, handler)
