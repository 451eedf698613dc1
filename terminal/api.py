"""The route by which a signed-in member of staff gets a token for one terminal."""

from __future__ import annotations

from django.http import HttpRequest
from ninja import Router, Schema, Status
from ninja.errors import HttpError

from terminal import permissions, tokens

router = Router(tags=["terminal"])


class Token(Schema):
    """Goes into `WS /api/terminal?token=…`."""

    token: str
    expires_in: int


@router.post("/terminal/token", response={201: Token})
def create_token(request: HttpRequest) -> Status[Token]:
    """Return a token that opens one terminal within a minute; for signed-in staff."""
    if not permissions.is_on(request):
        raise HttpError(403, "The terminal is off here; INTELLIFL_TERMINAL=on switches it on.")
    if not request.user.is_authenticated:
        raise HttpError(401, "Sign in first: a terminal is for members of staff.")
    if not permissions.is_staff(request.user):
        raise HttpError(403, "A terminal is for members of staff.")
    return Status(201, Token(token=tokens.issue(request.user), expires_in=tokens.LIFETIME_S))
