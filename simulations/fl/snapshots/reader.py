"""Read a run's snapshots from their metadata, without any plotting or training library."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from simulations.fl import strict_json
from simulations.fl.errors import DataError
from simulations.fl.snapshots.records import FOLDER, METADATA


def read(run_dir: Path) -> dict[str, Any]:
    """Return what the API answers about the snapshots of a run; paths are relative to `run_dir`.

    Raises DataError, naming the file, for metadata that this project did not write.
    """
    strategies = [
        strategy_of(folder, number, run_dir) for number, folder in _numbered(run_dir, FOLDER)
    ]
    found = [strategy for strategy in strategies if strategy["snapshots"]]
    return {"has_snapshots": bool(found), "strategies": found}


def strategy_of(folder: Path, number: int, base: Path) -> dict[str, Any]:
    """Return one strategy's summary and snapshots, by round and client; paths relative to `base`.

    The summary is counted anew, so that it is right while the run goes on.
    """
    records = sorted(
        (_snapshot(path, base) for path in _metadata_files(folder)),
        key=lambda record: (record["round_num"], record["client_id"], record["is_weight_attack"]),
    )
    return {"strategy_number": number, "summary": summary_of(records), "snapshots": records}


def some_of(
    run_dir: Path, number: int, start: int, count: int, client: int | None = None
) -> list[dict[str, Any]]:
    """Return `count` snapshots of a strategy from `start` on, by client and round.

    Only these are read, of one client only with `client`. Raises DataError as `read` does.
    """
    found = _metadata_files(run_dir / f"{FOLDER}{number}", client)
    return [_snapshot(path, run_dir) for path in islice(found, start, start + count)]


def summary_of(records: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the number of snapshots, and the clients, rounds and attacks that occur."""
    records = list(records)
    types = {name for record in records for name in record["metadata"]["attack_types"]}
    return {
        "total_snapshots": len(records),
        "clients_attacked": sorted({record["client_id"] for record in records}),
        "rounds_with_attacks": sorted({record["round_num"] for record in records}),
        "attack_types": sorted(types),
    }


def _metadata_files(folder: Path, only: int | None = None) -> Iterator[Path]:
    if folder.is_symlink():
        return
    for number, client in _numbered(folder, "client_"):
        if only is not None and number != only:
            continue
        for _, turn in _numbered(client, "round_"):
            for kind in ("data", "weights"):
                path = turn / kind / METADATA
                if path.is_file() and not (path.is_symlink() or path.parent.is_symlink()):
                    yield path


def _numbered(folder: Path, prefix: str) -> list[tuple[int, Path]]:
    """Return the real folders named `prefix` and a number; links could lead out of the run."""
    if not folder.is_dir():
        return []
    pattern = re.compile(rf"{prefix}(0|[1-9][0-9]{{0,8}})")
    found = [
        (int(match[1]), path)
        for path in folder.iterdir()
        if (match := pattern.fullmatch(path.name)) and path.is_dir() and not path.is_symlink()
    ]
    return sorted(found)


def _snapshot(path: Path, base: Path) -> dict[str, Any]:
    metadata = _load(path, base)
    folder = path.parent.relative_to(base).as_posix()
    try:
        visualizations = _located(metadata["visualizations"], folder)
        primary = visualizations.setdefault("primary", None)
        return {
            "client_id": metadata["client_id"],
            "round_num": metadata["round_num"],
            "attack_type": metadata["attack_type"],
            "image_path": primary,
            "visualizations": visualizations,
            "metadata": metadata,
            "flip_summary": metadata["flip_summary"],
            "is_text_attack": metadata["modality"] == "text",
            "is_weight_attack": metadata["kind"] == "weights",
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise _foreign(path, base, f"it lacks or misuses {error}") from None


def _load(path: Path, base: Path) -> dict[str, Any]:
    try:
        metadata = strict_json.loads(path.read_bytes())
    except strict_json.StrictJSONError as error:
        raise _foreign(path, base, str(error)) from None
    if not isinstance(metadata, dict):
        raise _foreign(path, base, "it holds no object")
    return metadata


def _foreign(path: Path, base: Path, reason: str) -> DataError:
    name = path.relative_to(base).as_posix()
    return DataError(f"{name} is not the metadata of a snapshot: {reason}; remove its folder")


def _located(visualizations: Mapping[str, Any], folder: str) -> dict[str, Any]:
    """Return the file names as paths; a name with a separator could lead out of the folder."""
    return {
        role: _located(name, folder) if role == "additional" else f"{folder}/{_plain(name)}"
        for role, name in visualizations.items()
    }


def _plain(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_]+\.(png|html)", name):
        raise TypeError(f"the file name {name[:100]!r}")
    return name
