"""Check a configuration without creating a simulation."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from simulations import services
from simulations.api import body
from simulations.api.config_schema import CONFIG_BODY
from simulations.fl.errors import ConfigError
from simulations.fl.strict_json import StrictJSONError

router = Router(tags=["Config Validation"])


class Verdict(Schema):
    """Whether the configuration can run; `errors` lists everything wrong as `path: message`."""

    valid: bool
    errors: list[str] | None = None
    warnings: list[str] | None = None


@router.post("/validate", response=Verdict, exclude_none=True, openapi_extra=CONFIG_BODY)
def validate(request: HttpRequest) -> dict[str, Any]:
    """Check a configuration; the answer is 200 whether or not it can run."""
    try:
        config = services.check(body.read(request))
    except ConfigError as error:
        return {"valid": False, "errors": error.errors}
    except StrictJSONError as error:
        return {"valid": False, "errors": [str(error)]}
    return {"valid": True, "warnings": list(config.warnings) or None}
