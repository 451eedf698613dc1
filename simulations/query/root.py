"""Where to begin: which resources there are, what they hold and where they are described."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from intellifl import problems
from simulations.query.views import RESOURCES


@require_safe
def root(request: HttpRequest) -> HttpResponse:
    """List the resources, as a page to browsers and as JSON to everybody else."""
    resources = [
        {
            "name": name,
            "about": (viewset.__doc__ or "").strip(),
            "url": request.build_absolute_uri(f"/query/{name}/"),
            "csv": request.build_absolute_uri(f"/query/{name}.csv"),
            "json": request.build_absolute_uri(f"/query/{name}.json"),
        }
        for name, viewset in RESOURCES.items()
    ]
    if problems.wants_page(request):
        response = render(request, "query/root.html", {"resources": resources})
    else:
        schema = request.build_absolute_uri("/query/schema")
        response = JsonResponse({"resources": resources, "schema": schema})
    response["Vary"] = "Accept"
    return response
