"""What happens to every request before and after its view: ids, errors, origin, login, headers."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.views.decorators.debug import sensitive_variables
from whitenoise.middleware import WhiteNoiseMiddleware  # type: ignore[import-untyped]

from intellifl import problems
from intellifl.access import tokens

GetResponse = Callable[[HttpRequest], HttpResponse]
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
DEFAULT_PORTS = {"http": 80, "https": 443}
DOCUMENTS = ("/docs", "/redoc", "/openapi.json")
OWN_ONLY = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'"
PAGE_POLICY = f"{OWN_ONLY}; form-action 'self'; frame-ancestors 'none'"
# Swagger UI and ReDoc write styles into the page; ReDoc searches in a worker.
DOCS_POLICY = f"{PAGE_POLICY}; style-src 'self' 'unsafe-inline'"
REDOC_POLICY = f"{DOCS_POLICY}; worker-src 'self' blob:"
UNUSED = ("camera", "display-capture", "geolocation", "microphone", "payment", "serial", "usb")
SECURITY_HEADERS = {
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in UNUSED),
    "Cross-Origin-Resource-Policy": "same-origin",
}
OPEN = frozenset({"/", "/api/health", "/admin/login/", "/login"})
"""What is answered without a login, beside the form to sign in."""


class RequestIdMiddleware:
    """Give each request an id, the client's own if it is well-formed, and return it as a header."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]
        response = self.get_response(request)
        response["X-Request-ID"] = request_id
        return response


class ProblemMiddleware:
    """Turn every error under /api into a problem, whoever raised or wrote it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code < 400 or _is_in_shape(request, response):
            return response
        return problems.from_response(request, response)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, OperationalError):
            return problems.busy(request, exception)
        return None


class StaticFilesMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]
    """Serve static files whole: under ASGI Django reads a file response into memory anyway."""

    @staticmethod
    def serve(static_file: Any, request: HttpRequest) -> HttpResponse:
        streaming = WhiteNoiseMiddleware.serve(static_file, request)
        response = HttpResponse(b"".join(streaming), status=streaming.status_code)
        del response["Content-Type"]
        for name, value in streaming.items():
            response[name] = value
        streaming.close()
        return response


class ApiPathMiddleware:
    """Accept a trailing slash without a redirect, and HEAD wherever GET is answered."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        bare = request.path_info.rstrip("/")
        if not problems.is_api(request) and bare not in DOCUMENTS:
            return self.get_response(request)
        request.path_info = bare
        if "%00" in request.META.get("QUERY_STRING", ""):
            return problems.problem(400, "The query string contains a NUL character.")
        if request.method != "HEAD":
            return self.get_response(request)
        request.method = "GET"
        response = self.get_response(request)
        request.method = "HEAD"
        return response


class SameOriginMiddleware:
    """Refuse what another web page makes a browser send; clients without these headers pass."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method in SAFE_METHODS or _is_same_origin(request):
            return self.get_response(request)
        detail = "The request comes from another web page; only pages of this server may send it."
        return problems.respond(request, 403, detail)


class LoginMiddleware:
    """Where a login is required, let only sessions and tokens past the open paths."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not settings.REQUIRE_AUTH or _is_open(request):
            return self.get_response(request)
        try:
            refusal = _refusal(request)
        except OperationalError as error:
            return problems.busy(request, error)
        return refusal or self.get_response(request)


class SecurityHeadersMiddleware:
    """Tell browsers to load nothing from elsewhere, and to ask again before using old answers."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.setdefault("Content-Security-Policy", _policy(request))
        for name, value in SECURITY_HEADERS.items():
            response.setdefault(name, value)
        if problems.is_api(request) or problems.is_query(request):
            response.setdefault("Cache-Control", "no-cache")
        return response


def _policy(request: HttpRequest) -> str:
    policies = {"/docs": DOCS_POLICY, "/redoc": REDOC_POLICY}
    return policies.get(request.path_info.rstrip("/"), PAGE_POLICY)


def _is_in_shape(request: HttpRequest, response: HttpResponse) -> bool:
    kind = response.get("Content-Type", "")
    if kind.startswith(problems.CONTENT_TYPE):
        return True
    if problems.is_api(request) or response.status_code == 405:
        return False
    return problems.wants_page(request) or not kind.startswith("text/html")


def _is_same_origin(request: HttpRequest) -> bool:
    if request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site"):
        return False
    origin = request.headers.get("Origin")
    own = f"{request.scheme}://{request.get_host()}"
    return origin is None or _origin(origin) == _origin(own)


def _origin(url: str) -> tuple[str, str, int | None] | None:
    """Return scheme, host and port of an origin, or None when it is none, such as `null`."""
    try:
        parts = urlsplit(url)
        port = parts.port or DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None
    if not parts.hostname or parts.path or parts.query or parts.fragment or parts.username:
        return None
    return parts.scheme, parts.hostname, port


def _is_open(request: HttpRequest) -> bool:
    return request.path_info in OPEN or request.path_info == resolve_url(settings.LOGIN_URL)


def _refusal(request: HttpRequest) -> HttpResponse | None:
    """Return the answer to a request that shows neither a session nor a token, else None."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if _takes_tokens(request) and scheme.lower() == "bearer":
        return _refusal_of_token(request, token.strip())
    if request.user.is_authenticated:
        return None
    if problems.wants_page(request):
        return redirect_to_login(request.get_full_path(), resolve_url(settings.LOGIN_URL))
    return _unauthorized("This server asks for a login: sign in, or send a token.")


def _takes_tokens(request: HttpRequest) -> bool:
    """Tell whether a token opens this address: a program's token must not become a shell."""
    is_terminal = request.path_info.startswith("/api/terminal/")
    return (problems.is_api(request) and not is_terminal) or problems.is_query(request)


@sensitive_variables("text")
def _refusal_of_token(request: HttpRequest, text: str) -> HttpResponse | None:
    """Return the answer to a wrong token; a right one makes the request its user's."""
    try:
        token = tokens.check(text)
    except tokens.Refused as refused:
        return _unauthorized(str(refused), ', error="invalid_token"')
    if token.user is not None:
        request.user = token.user
    return None


def _unauthorized(detail: str, reason: str = "") -> HttpResponse:
    response = problems.problem(401, detail)
    response["WWW-Authenticate"] = f'Bearer realm="intellifl"{reason}'
    return response
