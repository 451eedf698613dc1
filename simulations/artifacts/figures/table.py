"""Every figure: its file's name, its caption and what draws it. Adding one is a line here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from simulations.artifacts.figures import clients, comparison, partition, rounds
from simulations.artifacts.measurements import Measurements


@dataclass(frozen=True)
class StrategyFigure:
    """A figure of one strategy; `draw` returns None when what it shows was not measured."""

    name: str
    caption: str
    draw: Callable[[Measurements], Figure | None]


@dataclass(frozen=True)
class ComparisonFigure:
    """A figure across strategies; `draw` returns None when what it shows was not measured."""

    name: str
    caption: str
    draw: Callable[[Sequence[Measurements]], Figure | None]


STRATEGY_FIGURES = (
    StrategyFigure(
        "label_distribution",
        "Samples of each client by class; total variation is the distance to all clients together",
        partition.label_distribution,
    ),
    StrategyFigure(
        "global_model", "Accuracy and loss of the global model on the test set", rounds.global_model
    ),
    StrategyFigure(
        "average_accuracy",
        "Average accuracy of the benign clients in the aggregate, with one standard deviation",
        rounds.average_accuracy,
    ),
    StrategyFigure(
        "client_accuracy", "Accuracy on each client's validation data", clients.accuracy
    ),
    StrategyFigure("client_loss", "Loss on each client's validation data", clients.loss),
    StrategyFigure(
        "client_distance",
        "Distance of each client's parameters from the centroid of all clients",
        clients.absolute_distance,
    ),
    StrategyFigure(
        "removal_criterion", "Removal criterion of each client", clients.removal_criterion
    ),
    StrategyFigure(
        "participation", "Clients that entered the aggregate of each round", clients.participation
    ),
    StrategyFigure(
        "detection",
        "Detection of malicious clients; a benign client in the aggregate is a true positive",
        rounds.detection,
    ),
    StrategyFigure("score_time", "Time to score and aggregate in each round", rounds.score_time),
)
COMPARISON_FIGURES = (
    ComparisonFigure("accuracy", "Test accuracy of the global model", comparison.accuracy),
    ComparisonFigure("loss", "Test loss of the global model", comparison.loss),
    ComparisonFigure(
        "average_accuracy",
        "Average accuracy of the benign clients in the aggregate",
        comparison.average_accuracy,
    ),
    ComparisonFigure("attack_success", "Success of the attack", comparison.attack_success),
    ComparisonFigure("detection_f1", "F1 of the detection", comparison.detection_f1),
    ComparisonFigure("score_time", "Time to score and aggregate", comparison.score_time),
)
