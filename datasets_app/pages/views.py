"""The page that shows what can be trained on."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from datasets_app import selectors, services
from datasets_app.models import BUSY

REFRESH_S = 3


@require_safe
def dataset_list(request: HttpRequest) -> HttpResponse:
    """Show every dataset of the catalogue, and how to get it."""
    datasets = selectors.listing()
    is_busy = any(listed.state in BUSY for listed in datasets)
    context = {
        "datasets": datasets,
        "num_here": sum(listed.state == "here" for listed in datasets),
        "refresh_s": REFRESH_S if is_busy else None,
    }
    return render(request, "datasets/list.html", context)


@require_POST
def fetch(request: HttpRequest, keyword: str) -> HttpResponse:
    """Have a dataset fetched, or checked if it is here, and show the list again."""
    try:
        is_asked = services.request(keyword)
    except services.UnknownDataset as error:
        raise Http404(str(error)) from error
    if not is_asked:
        messages.warning(request, f"{keyword} is being fetched already.")
    return redirect("datasets:list")
