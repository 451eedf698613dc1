"""Run a simulation: every strategy, round by round, told as events. It needs no files.

for event in run(resolve(parse({...}), drawn_seed=1), lambda config: data):
    print(event)
"""

from __future__ import annotations

import platform
from collections.abc import Generator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path

import torch

from simulations.fl import build, device, label_distribution
from simulations.fl.build import DataSource
from simulations.fl.checkpoint import Checkpoints
from simulations.fl.config import SimulationConfig, StrategyConfig
from simulations.fl.events import (
    Event,
    RunFinished,
    RunStarted,
    StrategyFinished,
    StrategyStarted,
)
from simulations.fl.play import Player
from simulations.fl.progress import Progress
from simulations.fl.report import round_finished, snapshots_saved


def run(
    config: SimulationConfig,
    data: DataSource,
    *,
    run_dir: Path | None = None,
    workers: int | None = None,
    resume: bool = False,
) -> Generator[Event, None, None]:
    """Run every strategy of a resolved configuration; raise an FLError when one cannot run.

    `data` gives the images for a strategy's configuration. With `run_dir` the progress is kept in
    checkpoints, and `resume` goes on from them: rounds after the last checkpoint are played, and
    told, again. `workers` is the number of processes that train, by default as many as the cores
    allow; results do not depend on it. Torch uses one thread while this iterator runs.
    """
    with device.one_thread():
        stages = [
            _stage(number, strategy, run_dir, workers)
            for number, strategy in enumerate(config.strategies)
        ]
        for stage in stages if not resume else ():
            stage.checkpoints.discard()
        yield _run_started(stages, resume)
        for stage in stages:
            saved = stage.checkpoints.load() if resume else None
            if saved is None or not saved.finished:
                saved = yield from _play(stage, data, saved)
            yield StrategyFinished(stage.number, saved.round_number, saved.reason)
        yield RunFinished()


@dataclass(frozen=True)
class Stage:
    """One strategy of a run: where it trains and where its progress is kept."""

    number: int
    config: StrategyConfig
    device: torch.device
    num_workers: int
    run_dir: Path | None
    checkpoints: Checkpoints


def _stage(number: int, config: StrategyConfig, run_dir: Path | None, workers: int | None) -> Stage:
    place = device.choose(config.training_device)
    return Stage(
        number=number,
        config=config,
        device=place,
        num_workers=device.num_workers(config, place, workers),
        run_dir=run_dir,
        checkpoints=Checkpoints(run_dir, number, config),
    )


def _run_started(stages: list[Stage], resumed: bool) -> RunStarted:
    return RunStarted(
        num_strategies=len(stages),
        device=", ".join(dict.fromkeys(device.describe(stage.device) for stage in stages)),
        num_workers=max(stage.num_workers for stage in stages),
        versions={
            "python": platform.python_version(),
            **{package: version(package) for package in ("intellifl", "torch", "numpy")},
        },
        resumed=resumed,
    )


def _play(
    stage: Stage, data: DataSource, saved: Progress | None
) -> Generator[Event, None, Progress]:
    """Play the rounds that are left, keeping a checkpoint after what was told."""
    witness = build.witness(stage.config, stage.run_dir, stage.number)
    given = data(stage.config)
    work = build.workload(stage.config, given, stage.device, witness)
    rebuild = partial(build.workload, stage.config, given, stage.device, witness)
    if stage.run_dir is not None:
        spread = build.label_distribution(stage.config, given, work.shares)
        label_distribution.write(stage.run_dir, stage.number, spread)
    progress = saved or Progress(work.model.vector.clone(), work.model.integers())
    yield StrategyStarted(
        strategy_number=stage.number,
        num_parameters=work.num_parameters,
        client_sizes=[len(share) for share in work.shares],
        first_round=progress.round_number + 1,
    )
    with build.backend(stage.config, work, stage.num_workers, rebuild, stage.run_dir) as backend:
        player = Player(stage.config, work, backend, build.strategy(stage.config), progress)
        while not progress.finished:
            played = player.play()
            if played is not None:
                yield from snapshots_saved(stage.number, played)
                yield round_finished(stage.number, stage.config, work, played)
            stage.checkpoints.save(progress)
    if witness is not None:
        witness.finish()
    return progress
