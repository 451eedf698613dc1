"""Keeps examples of what attacks did, in the clients and rounds in which they did it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from simulations.fl.adversary import Campaign, Poisoned
from simulations.fl.attacks.base import Labels, Layout
from simulations.fl.config import StrategyConfig
from simulations.fl.snapshots.data import save_data_snapshot
from simulations.fl.snapshots.listing import finish
from simulations.fl.snapshots.records import Form, Request, SavedSnapshot, strategy_folder
from simulations.fl.snapshots.samples import Stage
from simulations.fl.snapshots.weights import save_weight_snapshot
from simulations.fl.tasks import Snapshot


@dataclass(frozen=True)
class Witness:
    """Writes snapshots into the folder of a run; paths it returns are relative to that folder."""

    run_dir: Path
    folder: Path
    form: Form
    max_samples: int

    def of_data(
        self,
        place: tuple[int, int],
        samples: Any,
        labels: Labels,
        stages: Sequence[Poisoned],
        predict: Callable[[Any], Labels] | None,
    ) -> Snapshot:
        """Keep what the attacks of `stages` made of a client's samples; `place`: client, round."""
        made = [
            Stage(stage.campaign.attack_type, stage.campaign.settings, stage.samples, stage.labels)
            for stage in stages
        ]
        return self._kept(save_data_snapshot(self._request(place), samples, labels, made, predict))

    def of_weights(
        self,
        place: tuple[int, int],
        forgers: Sequence[Campaign],
        trained: Tensor,
        sent: Tensor,
        start: Tensor,
        layout: Layout,
    ) -> Snapshot:
        """Keep what the `forgers` made of an update; `place` is the client and the round."""
        attacks = [(forger.attack_type, forger.settings) for forger in forgers]
        request = self._request(place)
        return self._kept(save_weight_snapshot(request, attacks, trained, sent, start, layout))

    def finish(self) -> None:
        """Write the summary of all that was kept."""
        if self.folder.exists():
            finish(self.folder)

    def _request(self, place: tuple[int, int]) -> Request:
        return Request(self.folder, *place, self.form, self.max_samples)

    def _kept(self, saved: SavedSnapshot) -> Snapshot:
        return Snapshot(saved.attack_type, saved.path.relative_to(self.run_dir).as_posix())


def witness(config: StrategyConfig, run_dir: Path, strategy_number: int) -> Witness:
    """Return who keeps the snapshots of a strategy, as its configuration wants them."""
    return Witness(
        run_dir=run_dir,
        folder=strategy_folder(run_dir, strategy_number),
        form=config.attack_snapshot_format,
        max_samples=config.snapshot_max_samples,
    )
