"""The event of a finished round: who did what, and the numbers of the round."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace

from simulations.fl import detection
from simulations.fl.adversary import Adversary
from simulations.fl.config import StrategyConfig
from simulations.fl.events import ClientMetrics, RoundFinished, SnapshotSaved
from simulations.fl.metrics import Sums, deviation, finite, mean, total
from simulations.fl.play import Reply, Round
from simulations.fl.success import success_rate
from simulations.fl.workload import Workload


def round_finished(
    strategy_number: int, config: StrategyConfig, work: Workload, played: Round
) -> RoundFinished:
    """Tell a round: every client that trained or was evaluated, and what follows from them."""
    clients = _clients(played, work)
    trusted = [c.accuracy for c in clients if c.participated and not c.is_malicious]
    accuracies = [accuracy for accuracy in trusted if accuracy is not None]
    return RoundFinished(
        strategy_number=strategy_number,
        round_number=played.number,
        clients=clients,
        aggregated_loss=_aggregated_loss(played),
        average_accuracy=mean(accuracies),
        average_accuracy_std=deviation(accuracies),
        global_accuracy=played.evaluation.test_set.accuracy,
        global_loss=played.evaluation.test_set.loss,
        attack_success_rate=success_rate(played.evaluation.goals),
        removal_threshold=played.threshold,
        score_calculation_time_ns=played.score_time_ns,
        round_seconds=played.seconds,
        **(_detection(played, work.adversary) if config.remove_clients else {}),
    )


def snapshots_saved(strategy_number: int, played: Round) -> Iterator[SnapshotSaved]:
    """Tell the examples of attacks that were kept in a round."""
    for reply in played.replies:
        for snapshot in reply.trained.snapshots:
            yield SnapshotSaved(
                strategy_number=strategy_number,
                round_number=played.number,
                client_id=reply.client,
                attack_type=snapshot.attack_type,
                path=snapshot.path,
            )


def _aggregated_loss(played: Round) -> float | None:
    """Return the loss over the validation samples of all clients that are not removed."""
    return total(
        result
        for client, result in played.evaluation.clients.items()
        if client not in played.standing.removed
    ).loss


def _detection(played: Round, adversary: Adversary) -> dict[str, int]:
    judged = detection.count(
        (adversary.is_malicious(reply.client, played.number), reply.participated)
        for reply in played.replies
    )
    return asdict(judged)


def _clients(played: Round, work: Workload) -> list[ClientMetrics]:
    replies = {reply.client: reply for reply in played.replies}
    evaluations = played.evaluation.clients
    return [
        _client(client, played, replies.get(client), evaluations.get(client, Sums()), work)
        for client in sorted(replies.keys() | evaluations.keys())
    ]


def _client(
    client: int, played: Round, reply: Reply | None, evaluated: Sums, work: Workload
) -> ClientMetrics:
    metrics = ClientMetrics(
        client_id=client,
        loss=evaluated.loss,
        accuracy=evaluated.accuracy,
        is_malicious=work.adversary.is_malicious(client, played.number),
        is_removed=client in played.standing.removed,
    )
    if reply is None:
        return metrics
    return replace(
        metrics,
        train_loss=finite(reply.trained.loss),
        absolute_distance=reply.distance,
        removal_criterion=reply.score,
        participated=reply.participated,
        num_examples=len(work.shares[client].training),
        train_seconds=reply.trained.seconds,
    )
