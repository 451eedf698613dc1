"""The one shape of every error answer: an RFC 9457 problem, or a page where a browser wants one."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.urls import Resolver404

CONTENT_TYPE = "application/problem+json"
UNEXPECTED = (
    "The server failed unexpectedly; its log has the reason under the request id of this answer."
)
BUSY = "The database is busy or unreachable; try again in a moment."
ADVICE = {
    400: "The request is malformed.",
    403: "The request is refused.",
    404: "Nothing is here.",
    405: "The method is not allowed here; the Allow header lists those that are.",
    413: "The body is too large.",
    500: UNEXPECTED,
    503: BUSY,
}
SCHEMA = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457; the one shape of every error.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "One sentence."},
        "errors": {"type": "array", "items": {"type": "string"}},
        "request_id": {"type": "string", "description": "With 500: where to look in the log."},
    },
}
logger = logging.getLogger(__name__)


def problem(status: int, detail: str, errors: Sequence[str] = (), **members: Any) -> HttpResponse:
    """Return an RFC 9457 problem; `errors` lists `field.path: message`, where several are wrong."""
    content = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **members,
    }
    if errors:
        content["errors"] = list(errors)
    return JsonResponse(content, status=status, content_type=CONTENT_TYPE)


def respond(
    request: HttpRequest, status: int, detail: str, errors: Sequence[str] = (), **members: str
) -> HttpResponse:
    """Return the error as a page to browsers that ask for one, as a problem to everybody else."""
    if not wants_page(request):
        return problem(status, detail, errors, **members)
    context = {"status": status, "title": HTTPStatus(status).phrase, "detail": detail, **members}
    # Without the request, so that no context processor asks a database that may be down.
    return HttpResponse(render_to_string("problem.html", context), status=status)


def wants_page(request: HttpRequest) -> bool:
    """Tell whether the client prefers HTML to JSON; under /api it always gets JSON."""
    kinds = ["application/json", "text/html"]
    return not is_api(request) and request.get_preferred_type(kinds) == "text/html"


def is_api(request: HttpRequest) -> bool:
    return request.path_info == "/api" or request.path_info.startswith("/api/")


def sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")


def first_of(messages: Sequence[str], opening: str) -> str:
    """Return the first of several messages as a sentence that tells how many there are."""
    more = f" (and {len(messages) - 1} more)" if len(messages) > 1 else ""
    return sentence(f"{opening}: {messages[0]}{more}")


def is_query(request: HttpRequest) -> bool:
    return request.path_info == "/query" or request.path_info.startswith("/query/")


def no_route(request: HttpRequest) -> str:
    return f"There is no route {request.method} {request.path[:200]}."


def request_id_of(request: HttpRequest) -> str:
    return getattr(request, "request_id", "")


def unexpected(request: HttpRequest, error: BaseException | None = None) -> HttpResponse:
    """Log the failure with its trace under the request's id; answer 500 with the id only."""
    request_id = request_id_of(request)
    error = error or sys.exc_info()[1]
    logger.error(
        "request %s failed: %s %s", request_id, request.method, request.path, exc_info=error
    )
    return respond(request, 500, UNEXPECTED, request_id=request_id)


def busy(request: HttpRequest, error: Exception) -> HttpResponse:
    """Log a database failure; answer 503 and ask to try again."""
    logger.error(
        "request %s found the database failing: %s", request_id_of(request), error, exc_info=error
    )
    response = respond(request, 503, BUSY)
    response["Retry-After"] = "2"
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what Django finds suspicious: a foreign Host header, too many fields."""
    return respond(request, 400, _first_line(exception, 400))


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return respond(request, 403, _first_line(exception, 403))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    detail = "" if isinstance(exception, Resolver404) else str(exception)
    return respond(request, 404, detail or no_route(request))


def server_error(request: HttpRequest) -> HttpResponse:
    return unexpected(request)


def from_response(request: HttpRequest, response: Any) -> HttpResponse:
    """Return an error answer that something else wrote in our shape, with its headers kept."""
    status = response.status_code
    detail = no_route(request) if status == 404 else ADVICE.get(status, HTTPStatus(status).phrase)
    members = {"request_id": request_id_of(request)} if status == 500 else {}
    answer = respond(request, status, detail, **members)
    for name, value in response.items():
        if name.lower() not in ("content-type", "content-length"):
            answer[name] = value
    return answer


def _first_line(exception: Exception, status: int) -> str:
    return str(exception).split("\n")[0][:300] or ADVICE[status]
