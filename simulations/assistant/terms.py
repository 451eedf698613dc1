"""Names of the field in running text: strategies, attacks, datasets and settings."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from datasets_app.catalog import CATALOG
from simulations.fl.attacks import ATTACKS
from simulations.fl.config import StrategyConfig
from simulations.fl.strategies import STRATEGIES

ALIASES = {
    "fed avg": "fedavg",
    "federated averaging": "fedavg",
    "geometric median": "rfa",
    "label flip": "label_flipping",
    "backdoor": "backdoor_trigger",
    "noise": "gaussian_noise",
    "ipm": "inner_product_manipulation",
    "inner product": "inner_product_manipulation",
    "mnist": "mnist5k",
    "fashion": "fashion_mnist",
    "reuters": "reuters_r8",
}
"""What people say for a name, where the name itself is not said."""


def plain(text: str) -> str:
    """Return lower-case words with single blanks, whatever stood between them."""
    return re.sub(r"[\W_]+", " ", text.lower()).strip()


def mentioned(text: str, names: Iterable[str]) -> list[str]:
    """Return the names that the text mentions, in its order; of overlapping ones the longest."""
    known = list(names)
    spoken = {plain(name): name for name in known}
    spoken |= {said: name for said, name in ALIASES.items() if name in known}
    found: dict[str, int] = {}
    rest = f" {plain(text)} "
    for said in sorted(spoken, key=len, reverse=True):
        place = rest.find(f" {said} ")
        if place >= 0:
            found.setdefault(spoken[said], place)
            rest = rest.replace(f" {said} ", f" {'·' * len(said)} ")
    return sorted(found, key=lambda name: found[name])


def strategies(text: str) -> list[str]:
    return mentioned(text, STRATEGIES)


def attacks(text: str) -> list[str]:
    return mentioned(text, ATTACKS)


def datasets(text: str) -> list[str]:
    return mentioned(text, CATALOG)


def kinds() -> dict[str, str]:
    """Return everything that can be explained, with what it is."""
    settings = dict.fromkeys(StrategyConfig.model_fields, "setting")
    return {
        **settings,
        **dict.fromkeys(CATALOG, "dataset"),
        **dict.fromkeys(ATTACKS, "attack"),
        **dict.fromkeys(STRATEGIES, "strategy"),
    }


def close_to(text: str, names: Iterable[str]) -> list[str]:
    """Return up to three names that are spelt much like the text."""
    spoken = {plain(name): name for name in names}
    return [spoken[said] for said in difflib.get_close_matches(plain(text)[:100], spoken, 3, 0.7)]
