"""Sentences for what pydantic finds: what is wrong, what was given, what is allowed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from simulations.fl.config.spelling import unknown

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

FORMS = {
    "missing": "is required",
    "extra_forbidden": "{unknown}",
    "greater_than": "must be greater than {gt}, not {given}",
    "greater_than_equal": "must be at least {ge}, not {given}",
    "less_than": "must be less than {lt}, not {given}",
    "less_than_equal": "must be at most {le}, not {given}",
    "literal_error": "must be {expected}, not {given}",
    "int_type": "must be a whole number, not {given}",
    "int_from_float": "must be a whole number, not {given}",
    "float_type": "must be a number, not {given}",
    "bool_type": "must be true or false, not {given}",
    "string_type": "must be a string, not {given}",
    "list_type": "must be a list, not {given}",
    "dict_type": "must be an object, not {given}",
    "finite_number": "must be a finite number, not {given}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least {min_length} entries, not {actual_length}",
    "too_long": "must have at most {max_length} entries, not {actual_length}",
}


def sentence(problem: ErrorDetails, fields: Iterable[str]) -> str:
    """Return the message for one of pydantic's findings about a model with these `fields`."""
    form = FORMS.get(problem["type"])
    if form is None:
        return problem["msg"]
    return form.format(
        given=_short(problem["input"]),
        unknown=unknown("field", str(problem["loc"][-1]), fields),
        **{name: _plain(limit) for name, limit in problem.get("ctx", {}).items()},
    )


def _plain(limit: Any) -> Any:
    return f"{limit:g}" if isinstance(limit, float) else limit


def _short(value: Any) -> str:
    text = {True: "true", False: "false", None: "null"}.get(value) if _is_constant(value) else None
    text = text or repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _is_constant(value: Any) -> bool:
    return value is None or isinstance(value, bool)
