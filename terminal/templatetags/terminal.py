"""`{% terminal_panel %}`: the panel at the bottom of a page, for those who may open a terminal."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context

from terminal import messages, permissions

register = template.Library()


@register.inclusion_tag("terminal/_panel.html", takes_context=True)
def terminal_panel(context: Context) -> dict[str, Any]:
    """Offer nothing on pages made without a request, such as those that tell of an error."""
    request = context.get("request")
    is_offered = request is not None and permissions.may_open(request)
    return {"is_offered": is_offered, "subprotocol": messages.SUBPROTOCOL}
