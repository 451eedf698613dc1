"""Where snapshots lie in a run's folder, and the metadata that each one carries.

attack_snapshots_<n>/client_<i>/round_<r>/<data or weights>/metadata.json and the files it names
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from simulations.fl import strict_json
from simulations.fl.atomic import replacing, write_text

Form = Literal["pickle", "visual", "pickle_and_visual"]
Kind = Literal["data", "weights"]
FOLDER = "attack_snapshots_"
METADATA = "metadata.json"
NBSP = "\N{NO-BREAK SPACE}"
PICKLE = "snapshot.pickle"


@dataclass(frozen=True)
class Request:
    """Whose snapshot it is, where it goes and what it holds.

    `folder` is the strategy's snapshot folder, `max_samples` the most samples that are kept.
    """

    folder: Path
    client_id: int
    round_number: int
    form: Form
    max_samples: int

    @property
    def with_figures(self) -> bool:
        return self.form != "pickle"

    @property
    def with_pickle(self) -> bool:
        return self.form != "visual"


@dataclass(frozen=True)
class SavedSnapshot:
    """A snapshot on disk: `path` is its folder, `attack_type` its attacks joined by a plus sign."""

    client_id: int
    round_number: int
    attack_type: str
    path: Path


def strategy_folder(run_dir: Path, strategy_number: int) -> Path:
    """Return the folder of a strategy's snapshots."""
    return run_dir / f"{FOLDER}{strategy_number}"


def snapshot_folder(request: Request, kind: Kind) -> Path:
    """Return the folder of one snapshot."""
    client, turn = f"client_{request.client_id}", f"round_{request.round_number}"
    return request.folder / client / turn / kind


def joined(attack_types: Iterable[str]) -> str:
    return "+".join(attack_types)


def heading(request: Request, attack_types: Iterable[str]) -> str:
    """Return the title of a snapshot's figures and pages."""
    names = " + ".join(attack_types)
    return f"{names}, client{NBSP}{request.client_id},{NBSP}round{NBSP}{request.round_number}"


def write_record(
    request: Request,
    kind: Kind,
    attacks: Iterable[tuple[str, Mapping[str, Any]]],
    details: Mapping[str, Any],
    visualizations: Mapping[str, Any],
) -> SavedSnapshot:
    """Write the metadata, last of a snapshot's files, so that whatever it names is there."""
    attacks = list(attacks)
    folder = snapshot_folder(request, kind)
    types = [attack_type for attack_type, _ in attacks]
    metadata = {
        "client_id": request.client_id,
        "round_num": request.round_number,
        "attack_type": joined(types),
        "attack_types": types,
        "attacks": [{"attack_type": name, "settings": dict(given)} for name, given in attacks],
        "kind": kind,
        "pickle": PICKLE if request.with_pickle else None,
        "visualizations": dict(visualizations),
        **details,
    }
    write_text(folder / METADATA, strict_json.dumps(metadata, indent=2) + "\n")
    return SavedSnapshot(request.client_id, request.round_number, joined(types), folder)


def write_pickle(folder: Path, content: Mapping[str, Any]) -> None:
    """Write arrays and plain values for notebooks; nothing in this project ever reads them."""
    with replacing(folder / PICKLE) as draft, draft.open("wb") as stream:
        pickle.dump(dict(content), stream, protocol=5)
