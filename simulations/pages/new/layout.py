"""The form as the page shows it: groups of shared settings, a column a strategy, the schedules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from simulations.fl.attacks import ATTACKS
from simulations.fl.config import SimulationConfig
from simulations.fl.config.schedule import NEEDED, AttackEntry
from simulations.pages.new import fields, paths
from simulations.pages.new.draft import WHOLE, Draft
from simulations.pages.new.fields import PARAMS, SCHEDULE, FormField
from simulations.pages.new.settings import Settings
from simulations.pages.new.timeline import Timeline, timeline

OPEN = frozenset({"Simulation", "Strategy", "Data", "Training", "Attacks"})
KEYWORD = "aggregation_strategy_keyword"
Errors = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Control:
    """A field in its place; `unused` says why its value would change nothing."""

    path: str
    field: FormField
    value: str
    default: str
    errors: Sequence[str]
    unused: str
    is_required: bool

    @property
    def choices(self) -> list[str]:
        """What can be chosen, and what was entered although it cannot."""
        known = ["true", "false"] if self.field.kind == "boolean" else map(str, self.field.choices)
        return list(dict.fromkeys([*known, *([self.value] if self.value else [])]))

    @property
    def rows(self) -> int:
        lines = self.value.count("\n") + 1
        return min(8, max(lines, 3 if self.field.kind == "lines" else 1))

    @property
    def is_hidden(self) -> bool:
        return bool(self.unused) and not self.value and not self.errors


@dataclass(frozen=True)
class Entry:
    """An attack of a schedule."""

    path: str
    number: int
    attack_type: str
    summary: str
    controls: list[Control]
    errors: Sequence[str]


@dataclass(frozen=True)
class Schedule:
    """All attacks of one schedule, and their picture."""

    path: str
    prefix: str
    entries: list[Entry]
    timeline: Timeline | None
    errors: Sequence[str]


@dataclass(frozen=True)
class Group:
    """Shared settings under one heading."""

    name: str
    controls: list[Control]
    schedule: Schedule | None = None

    @property
    def is_open(self) -> bool:
        has_entries = self.schedule is not None and bool(self.schedule.entries)
        is_used = any(control.value or control.errors for control in self.controls)
        return self.name in OPEN or is_used or has_entries

    @property
    def is_hidden(self) -> bool:
        return self.schedule is None and all(control.is_hidden for control in self.controls)


@dataclass(frozen=True)
class Column:
    """One of several strategies: its own settings, and what else it could override."""

    path: str
    prefix: str
    number: int
    controls: list[Control]
    schedule: Schedule
    addable: list[str] = field(default_factory=list)
    errors: Sequence[str] = ()


class Layout:
    """The draft's controls with their errors; `resolved` is its configuration, if it can run."""

    def __init__(self, draft: Draft, errors: Errors, resolved: SimulationConfig | None) -> None:
        self._draft, self._errors, self._resolved = draft, errors, resolved
        self._settings = Settings(draft)

    def groups(self) -> list[Group]:
        names = dict.fromkeys(one.group for one in fields.setting_fields().values())
        found: dict[str, list[Control]] = {name: [] for name in names}
        for name, one in fields.setting_fields().items():
            found[one.group] += self._setting("", name)
        groups = [Group(name, controls) for name, controls in found.items()]
        place = list(names).index("Removal") + 1
        attacks = Group("Attacks", [], self._schedule(""))
        return [*groups[:place], attacks, *groups[place:]]

    def columns(self) -> list[Column]:
        return [self._column(number, prefix) for number, prefix in enumerate(self._draft.prefixes)]

    def places(self) -> set[str]:
        """Return every path that has a place for errors on the page."""
        found: set[str] = set()
        parts: list[Group | Column] = [*self.groups(), *self.columns()]
        for part in parts:
            found |= {control.path for control in part.controls}
            if isinstance(part, Column):
                found.add(part.path)
            if part.schedule is not None:
                found.add(part.schedule.path)
                for entry in part.schedule.entries:
                    found |= {entry.path, *(control.path for control in entry.controls)}
        return found

    def _column(self, number: int, prefix: str) -> Column:
        shown = [
            control
            for name, one in fields.setting_fields().items()
            if one.group == "Strategy" or self._has(prefix, name)
            for control in self._setting(prefix, name)
        ]
        there = {paths.split(control.path)[1] for control in shown}
        return Column(
            path=prefix[:-1],
            prefix=prefix,
            number=number,
            controls=shown,
            schedule=self._schedule(prefix),
            addable=[n for n in fields.setting_fields() if n not in there and n not in WHOLE],
            errors=self._errors.get(prefix[:-1], ()),
        )

    def _has(self, prefix: str, name: str) -> bool:
        """Tell whether a column has a setting, or a part of one, of its own."""
        texts = self._draft.texts
        if name == "partitioning_strategy":
            return any(path.startswith((prefix + name, f"{prefix}{PARAMS}.")) for path in texts)
        return prefix + name in texts

    def _setting(self, prefix: str, name: str) -> Iterator[Control]:
        """Yield the control of a setting; that of the partition is followed by its parameters."""
        unused = self._settings.unused(prefix).get(name, "")
        if not prefix and self._draft.is_structured and name == KEYWORD:
            unused = "each strategy has its own"
        yield self._control(prefix + name, fields.setting_fields()[name], unused)
        if name == "partitioning_strategy":
            yield from self._parameters(prefix)

    def _parameters(self, prefix: str) -> Iterator[Control]:
        partition, start = self._draft.partition(prefix), f"{prefix}{PARAMS}."
        own = fields.partition_fields(partition)
        for name, one in own.items():
            yield self._control(start + name, one)
        reason = f"{partition or 'the partition by default'} has no such parameter"
        yield from self._strangers(start, own, reason)

    def _schedule(self, prefix: str) -> Schedule:
        path = f"{prefix}{SCHEDULE}"
        numbers = self._draft.numbers(prefix)
        entries = [self._entry(f"{path}.{number}", number) for number in numbers]
        number = int(prefix.split(".")[1]) if prefix else self._settings.follower()
        drawn = timeline(self._settings.of(number), self._resolved_schedule(number))
        shown = drawn if entries else None
        return Schedule(path, prefix, entries, shown, self._errors.get(path, ()))

    def _resolved_schedule(self, number: int) -> list[AttackEntry] | None:
        if self._resolved is None or number >= len(self._resolved.strategies):
            return None
        return self._resolved.strategies[number].attack_schedule

    def _entry(self, path: str, number: int) -> Entry:
        texts = self._draft.texts
        attack_type = texts.get(f"{path}.attack_type", "")
        own = fields.entry_fields(attack_type)
        unused = _unused_in_entry(texts.get(f"{path}.selection_strategy", ""))
        controls = [
            self._control(f"{path}.{name}", one, unused.get(name, "")) for name, one in own.items()
        ]
        reason = f"{attack_type or 'the attack'} has no such parameter"
        controls += self._strangers(f"{path}.", own, reason)
        summary = ATTACKS[attack_type].summary if attack_type in ATTACKS else ""
        errors = self._errors.get(path, ())
        return Entry(path, number, attack_type, summary, controls, errors)

    def _strangers(
        self, start: str, own: Mapping[str, FormField], reason: str
    ) -> Iterator[Control]:
        """Yield controls for values that were entered but belong to another attack or partition."""
        for path, text in self._draft.texts.items():
            name = path.removeprefix(start)
            known = self._draft.field_at(path)
            if path.startswith(start) and name not in own and text and known is not None:
                yield self._control(path, known, reason)

    def _control(self, path: str, one: FormField, unused: str = "") -> Control:
        prefix, inner = paths.split(path)
        shared = self._draft.texts.get(inner, "") if prefix else ""
        is_required = one.is_required and not (self._draft.is_structured and not prefix)
        return Control(
            path=path,
            field=one,
            value=self._draft.texts.get(path, ""),
            default=shared or one.default,
            errors=self._errors.get(path, ()),
            unused=unused,
            is_required=is_required and not shared,
        )


def _unused_in_entry(selection: str) -> dict[str, str]:
    needed = NEEDED.get(selection)
    reasons: dict[str, Any] = {"selected_client_ids": "it is filled in at submission"}
    if needed is not None:
        others = set(NEEDED.values()) - {needed}
        if selection == "specific":
            others.add("random_seed")
        reasons |= dict.fromkeys(others, f"{selection} does not read it")
    return reasons
