"""The examples of docs/extending.md, followed as they are written."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from datasets_app import catalog
from datasets_app.catalog.image_data import ImageData
from datasets_app.catalog.loading import load
from intellifl.environment import ROOT
from simulations.fl import aggregate, attacks, networks, partitions, strategies
from simulations.fl.config import SimulationConfig
from simulations.fl.errors import AggregationError
from simulations.fl.events import RoundFinished, StrategyStarted
from simulations.fl.simulation import run

PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
Follow = Callable[[str, ModuleType, dict[str, Any]], None]
Resolved = Callable[..., SimulationConfig]


@pytest.fixture
def follow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Follow:
    """Return what puts a section's file into a package, and its line into the package's table."""

    def add(heading: str, package: ModuleType, table: dict[str, Any]) -> None:
        section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
        code, line = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
        path = Path(code.splitlines()[0].removeprefix("# "))
        assert ROOT / path.parent == Path(package.__path__[0])
        (tmp_path / path.name).write_text(code, encoding="utf-8")
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
        module = import_module(f"{package.__name__}.{path.stem}")
        names = {**vars(package), **vars(module), path.stem: module}
        for keyword, entry in eval(f"{{{line}}}", names).items():
            monkeypatch.setitem(table, keyword, entry)

    return add


def test_a_strategy(follow: Follow, resolved: Resolved, digits: ImageData) -> None:
    follow("A strategy", strategies, strategies.STRATEGIES)
    rows = np.random.default_rng(1).normal(size=(5, 7))
    np.testing.assert_array_equal(aggregate("median", rows, f=2), np.median(rows, axis=0))
    with pytest.raises(AggregationError, match=r"2f \+ 1 = 5"):
        aggregate("median", rows[:4], f=2)
    config = resolved(aggregation_strategy_keyword="median", num_of_rounds=1)
    (told,) = (e for e in run(config, lambda _: digits) if isinstance(e, RoundFinished))
    assert told.global_accuracy is not None
    assert all(one.removal_criterion == one.absolute_distance for one in told.clients)


def test_an_attack(follow: Follow, resolved: Resolved, digits: ImageData) -> None:
    follow("An attack", attacks, attacks.ATTACKS)
    rounds = {"start_round": 1, "end_round": 1}
    entry = {"attack_type": "sign_flipping", "strength": 2.0, **rounds}
    chosen = {"selection_strategy": "specific", "malicious_client_ids": [2]}
    config = resolved(attack_schedule=[{**entry, **chosen}], num_of_rounds=1)
    honest = resolved(num_of_rounds=1)
    attacked, alone = (
        next(e for e in run(one, lambda _: digits) if isinstance(e, RoundFinished))
        for one in (config, honest)
    )
    assert [client.is_malicious for client in attacked.clients] == [False, False, True, False]
    far = [client.absolute_distance or 0 for client in attacked.clients]
    assert far[2] == max(far) > max(client.absolute_distance or 0 for client in alone.clients)


def test_a_network(follow: Follow, resolved: Resolved, digits: ImageData) -> None:
    follow("A network", networks, networks.NETWORKS)
    config = resolved(model_keyword="narrow", num_of_rounds=1)
    (started,) = (e for e in run(config, lambda _: digits) if isinstance(e, StrategyStarted))
    assert started.num_parameters == 65 * 32 + 33 * 10


def test_a_partition(follow: Follow, resolved: Resolved, digits: ImageData) -> None:
    follow("A partition", partitions, partitions.PARTITIONS)
    params = {"block": 50}
    config = resolved(partitioning_strategy="by_turns", partitioning_params=params, num_of_rounds=1)
    (started,) = (e for e in run(config, lambda _: digits) if isinstance(e, StrategyStarted))
    assert started.client_sizes == [90, 50, 50, 50], "240 samples, dealt to four"


def test_a_dataset(follow: Follow, tmp_path: Path) -> None:
    follow("A dataset", catalog, catalog.CATALOG)
    pixels = np.random.default_rng(2).integers(0, 256, (50, 28, 28), dtype=np.uint8)
    data_dir = tmp_path / "data"
    (data_dir / "glyphs").mkdir(parents=True)
    np.savez(data_dir / "glyphs" / "mine.npz", x_train=pixels, y_train=np.arange(50) % 10)
    data = load(catalog.CATALOG["glyphs"], data_dir)
    assert isinstance(data, ImageData)
    assert (len(data.train_labels), len(data.test_labels)) == (40, 10)
