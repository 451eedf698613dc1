"""What stands in the form: a text for each setting, and exactly one configuration it stands for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from simulations.fl import strict_json
from simulations.fl.config.fields import SIMULATION_FIELDS
from simulations.pages.new import fields, paths, texts
from simulations.pages.new.fields import MULTILINE, PARAMS, SCHEDULE, FormField

OTHER = "other"
MOST_COLUMNS, MOST_TEXTS = 100, 2_000
WHOLE = SIMULATION_FIELDS - {"seed"}
Errors = dict[str, list[str]]


class NotShown(ValueError):
    """The form cannot show a configuration; the message says why."""


@dataclass(frozen=True)
class Draft:
    """The texts by path, and the number of strategies side by side; 0 is the flat form.

    What no field can say, such as a comment, stands in `other` as JSON: a value for each path.
    """

    texts: Mapping[str, str] = field(default_factory=dict)
    count: int = 0
    other: str = ""

    @property
    def prefixes(self) -> list[str]:
        """What the paths of each strategy's own settings begin with."""
        return [paths.column(number) for number in range(self.count)]

    @property
    def is_structured(self) -> bool:
        return self.count > 0

    def field_at(self, path: str) -> FormField | None:
        """Return the field at a path of the form, or None if there is none."""
        prefix, inner = paths.split(path)
        if prefix and not self._has_column(prefix):
            return None
        if prefix and inner in WHOLE:
            return None
        keys = inner.split(".")
        if len(keys) == 3 and keys[0] == SCHEDULE and keys[1].isdecimal():
            attack = self.texts.get(f"{prefix}{SCHEDULE}.{keys[1]}.attack_type", "")
            return fields.entry_field(attack, keys[2])
        if len(keys) == 2 and keys[0] == PARAMS:
            return fields.partition_field(self.partition(prefix), keys[1])
        return fields.setting_fields().get(inner)

    def partition(self, prefix: str) -> str:
        """Return the partition that holds in a column: its own, else the shared one."""
        name = "partitioning_strategy"
        return self.texts.get(prefix + name) or self.texts.get(name, "")

    def numbers(self, prefix: str) -> list[int]:
        """Return the numbers of the entries that the schedule at a prefix has."""
        start = f"{prefix}{SCHEDULE}."
        found = {path[len(start) :].split(".")[0] for path in self.texts if path.startswith(start)}
        return sorted(int(number) for number in found)

    def config(self) -> tuple[dict[str, Any], Errors]:
        """Return the configuration, and what cannot be read, by path in the form.

        An empty field is left out, so that its default, or what is shared, holds.
        """
        tree: dict[str, Any] = {}
        errors: Errors = {}
        for prefix in (*self.prefixes, *self._entries()):
            paths.place(tree, paths.in_config(prefix[:-1], self.is_structured), {})
        try:
            for path, value in self.others().items():
                paths.place(tree, path, value)
        except ValueError as error:
            errors[OTHER] = [str(error)]
        for path, text in self.texts.items():
            known = self.field_at(path)
            if known is None or not text.strip():
                continue
            try:
                value = texts.read(known, text)
            except ValueError as error:
                errors[path] = [str(error)]
            else:
                paths.place(tree, paths.in_config(path, self.is_structured), value)
        return paths.finished(tree), errors

    def _entries(self) -> list[str]:
        """Return the prefixes of all entries of schedules; one left empty keeps its number."""
        return [
            f"{prefix}{SCHEDULE}.{number}."
            for prefix in ("", *self.prefixes)
            for number in self.numbers(prefix)
        ]

    def others(self) -> dict[str, Any]:
        """Return what no field can say, by path; raise ValueError if it cannot be read."""
        if not self.other.strip():
            return {}
        value = strict_json.loads(self.other)
        if not isinstance(value, dict):
            raise ValueError("must be a JSON object with a value for each path")
        return value

    def with_texts(self, changes: Mapping[str, str]) -> Draft:
        return replace(self, texts={**self.texts, **changes})

    def _has_column(self, prefix: str) -> bool:
        number = prefix.split(".")[1]
        return number.isdecimal() and int(number) < self.count


def posted(form: Mapping[str, str]) -> Draft:
    """Return what a browser sent; names that are no paths of settings are ignored."""
    count = number_of_columns(form.get("strategies", ""))
    empty = Draft({}, count, form.get(OTHER, "").replace("\r\n", "\n"))
    known = {path: text for path, text in form.items() if empty.field_at(path) is not None}
    return replace(empty, texts=known)


def number_of_columns(text: str) -> int:
    is_number = re.fullmatch(r"[0-9]{1,3}", text) is not None
    return min(int(text), MOST_COLUMNS) if is_number else 0


def drafted(config: Any) -> Draft:
    """Return the form of a configuration; raise NotShown if the form cannot say it all."""
    if not isinstance(config, dict):
        raise NotShown("The form shows JSON objects only.")
    columns = config.get(paths.COLUMNS)
    is_parted = isinstance(columns, list) and all(isinstance(one, dict) for one in columns)
    draft = _said(len(columns or ()) if is_parted else 0, paths.leaves(config))
    if len(draft.texts) > MOST_TEXTS:
        raise NotShown(f"The form shows at most {MOST_TEXTS} settings; edit this as JSON.")
    read, errors = draft.config()
    if errors or not texts.same(read, config):
        raise NotShown("The form cannot show all of this; edit it as JSON.")
    return draft


def _said(count: int, settings: Iterable[tuple[str, Any]]) -> Draft:
    """Return a draft that says every setting, in a field if one can say it exactly."""
    said: dict[str, str] = {}
    other: dict[str, Any] = {}
    draft = Draft(said, count)
    for path, value in settings:
        inner = paths.in_form(path, draft.is_structured)
        known = draft.field_at(inner)
        text = "" if known is None else texts.write(known, value)
        is_there = paths.in_config(inner, draft.is_structured) == path
        if known is not None and is_there and _says(known, text, value):
            said[inner] = text
        elif value != {} or not paths.is_column(path):
            other[path] = value
    return replace(draft, other=strict_json.dumps(other, indent=2) if other else "")


def _says(known: FormField, text: str, value: Any) -> bool:
    """Tell whether a browser sends the text as it is, and it is read as the value."""
    is_broken = "\n" in text and known.kind not in MULTILINE
    if is_broken or "\r" in text or not text.strip():
        return False
    try:
        return texts.same(texts.read(known, text), value)
    except ValueError:
        return False
