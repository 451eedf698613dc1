"""The assistant's page, which needs no script, and the same conversation for the panel."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from simulations import selectors
from simulations.assistant import conversation, endpoint
from simulations.assistant.bounds import MAX_QUESTION


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """Show the conversation; a posted question is answered in it, for the panel as a piece."""
    if request.method == "POST":
        return _post(request)
    return render(request, "assistant/page.html", _context(request))


@require_safe
def panel(request: HttpRequest) -> HttpResponse:
    """Give the conversation alone, to be put into the panel."""
    return render(request, "assistant/_conversation.html", {**_context(request), "is_panel": True})


def _post(request: HttpRequest) -> HttpResponse:
    about = _about(request.POST.get("about", ""))
    is_piece = "piece" in request.POST
    if "forget" in request.POST:
        conversation.forget(request.session)
        return HttpResponse(status=204) if is_piece else _again(about)
    text = request.POST.get("message", "").strip()
    if not text:
        return _again(about)
    exchange = conversation.ask(request.session, text, about)
    if is_piece:
        return render(request, "assistant/_exchange.html", {"exchange": exchange})
    return _again(about)


def _again(about: str) -> HttpResponse:
    query = f"?about={about}" if about else ""
    return redirect(f"{reverse('assistant')}{query}#latest")


def _context(request: HttpRequest) -> dict[str, Any]:
    connected = endpoint.configured()
    return {
        "exchanges": conversation.kept(request.session),
        "about": _about(request.GET.get("about", "")),
        "model": connected.model if connected else "",
        "host": connected.host if connected else "",
        "max_length": MAX_QUESTION,
    }


def _about(given: str) -> str:
    return given if selectors.ID.fullmatch(given) else ""
