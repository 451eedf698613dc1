"""What attacks did: a gallery of the snapshots of a strategy, a page at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from simulations.fl.errors import DataError
from simulations.fl.snapshots import reader
from simulations.pages.run.asked import Asked
from simulations.pages.run.plots import attackers, windows

PAGE_SIZE = 12
MAX_WORDS = 20


def context(about: Asked) -> dict[str, Any]:
    run = about.run
    page = max(1, about.number("page", 1))
    client = about.number("client", -1)
    records, problem = _records(about, None if client < 0 else client, page)
    state = {
        "tab": "attacks",
        "strategy": run.number,
        **({"client": client} if client >= 0 else {}),
    }
    return {
        "snapshots": [_shown(record) for record in records[:PAGE_SIZE]],
        "snapshot_problem": problem,
        "schedule": windows(run),
        "attackers": attackers(run),
        "client": client,
        "page": page,
        "has_more": len(records) > PAGE_SIZE,
        "query": urlencode(state),
        "keeps_snapshots": run.config.get("save_attack_snapshots"),
    }


def _records(
    about: Asked, client: int | None, page: int
) -> tuple[list[dict[str, Any]], str | None]:
    """Return the snapshots of a page and one more, if there is one; or what is wrong with them."""
    start = (page - 1) * PAGE_SIZE
    try:
        number = about.run.number
        return reader.some_of(about.run_dir, number, start, PAGE_SIZE + 1, client), None
    except DataError as error:
        return [], str(error)


def _shown(record: Mapping[str, Any]) -> dict[str, Any]:
    metadata = record["metadata"]
    return {
        "client": record["client_id"],
        "round": record["round_num"],
        "attacks": " + ".join(metadata["attack_types"]),
        "is_weights": record["is_weight_attack"],
        "primary": record["image_path"],
        "others": list(_others(record["visualizations"], record["image_path"])),
        "samples": [one for one in metadata.get("shown", ()) if one.get("pieces")],
        "words": metadata.get("replaced_words", [])[:MAX_WORDS],
        "num_samples": metadata.get("num_samples"),
        "num_changed_samples": metadata.get("num_changed_samples"),
        "num_changed_labels": metadata.get("num_changed_labels"),
        "settings": [
            (name, value)
            for attack in metadata.get("attacks", ())
            for name, value in attack["settings"].items()
        ],
    }


def _others(visualizations: Mapping[str, Any], primary: str | None) -> Iterator[tuple[str, str]]:
    """Yield title and path of each further file of a snapshot."""
    for role, path in visualizations.items():
        if role == "additional":
            yield from _others(path, primary)
        elif path and path != primary:
            yield role.replace("_", " "), path
