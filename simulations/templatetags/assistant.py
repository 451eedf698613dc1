"""`{% assistant_panel %}`: the assistant, opened over any page."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context

register = template.Library()


@register.inclusion_tag("assistant/_panel.html", takes_context=True)
def assistant_panel(context: Context) -> dict[str, Any]:
    """Offer it on pages made for a request but its own; it knows the simulation of the page."""
    request = context.get("request")
    match = getattr(request, "resolver_match", None)
    is_offered = match is not None and match.view_name != "assistant"
    about = match.kwargs.get("simulation_id", "") if match is not None else ""
    return {"is_offered": is_offered, "about": about}
