"""Strategies by keyword. Adding one is a file in this folder and an entry in this table.

Entries hold dotted paths, because the web process reads this table and must not load torch.
"""

from __future__ import annotations

from simulations.fl.strategies.base import Bound, StrategySpec

KRUM_BOUND = Bound(lambda f: 2 * f + 3, "2f + 3")
BULYAN_BOUND = Bound(lambda f: 4 * f + 3, "4f + 3")
PID_PARAMETERS = ("Kp", "Ki", "Kd", "num_std_dev")

STRATEGIES: dict[str, StrategySpec] = {
    "fedavg": StrategySpec(
        path="simulations.fl.strategies.fedavg:aggregate",
        title="Federated averaging",
        criterion="absolute distance",
        paper="1602.05629",
        removes=False,
    ),
    "trust": StrategySpec(
        path="simulations.fl.strategies.trust:aggregate",
        title="Trust and reputation",
        criterion="trust",
        paper="",
        parameters=("trust_threshold", "beta_value"),
        worst="lowest",
    ),
    "pid": StrategySpec(
        path="simulations.fl.strategies.pid:pid",
        title="PID",
        criterion="PID score",
        paper="",
        parameters=PID_PARAMETERS,
    ),
    "pid_scaled": StrategySpec(
        path="simulations.fl.strategies.pid:pid_scaled",
        title="PID, scaled by round",
        criterion="PID score",
        paper="",
        parameters=PID_PARAMETERS,
    ),
    "pid_standardized": StrategySpec(
        path="simulations.fl.strategies.pid:pid_standardized",
        title="PID, standardised",
        criterion="PID score",
        paper="",
        parameters=PID_PARAMETERS,
    ),
    "pid_standardized_score_based": StrategySpec(
        path="simulations.fl.strategies.pid:pid_standardized_score_based",
        title="PID, standardised, threshold over scores",
        criterion="PID score",
        paper="",
        parameters=PID_PARAMETERS,
    ),
    "krum": StrategySpec(
        path="simulations.fl.strategies.krum:aggregate",
        title="Krum",
        criterion="Krum score",
        paper="1703.02757",
        parameters=("num_of_malicious_clients",),
        bound=KRUM_BOUND,
    ),
    "multi-krum": StrategySpec(
        path="simulations.fl.strategies.multi_krum:aggregate",
        title="Multi-Krum",
        criterion="Krum score",
        paper="1703.02757",
        parameters=("num_of_malicious_clients", "num_krum_selections"),
        bound=KRUM_BOUND,
        removes=False,
    ),
    "multi-krum-based": StrategySpec(
        path="simulations.fl.strategies.multi_krum_based:aggregate",
        title="Multi-Krum with removal",
        criterion="Krum score",
        paper="1703.02757",
        parameters=("num_of_malicious_clients", "num_krum_selections"),
        bound=KRUM_BOUND,
    ),
    "trimmed_mean": StrategySpec(
        path="simulations.fl.strategies.trimmed_mean:aggregate",
        title="Trimmed mean",
        criterion="share of coordinates trimmed",
        paper="1803.01498",
        parameters=("trim_ratio",),
    ),
    "rfa": StrategySpec(
        path="simulations.fl.strategies.rfa:aggregate",
        title="RFA, the geometric median",
        criterion="distance to the median",
        paper="1912.13445",
    ),
    "bulyan": StrategySpec(
        path="simulations.fl.strategies.bulyan:aggregate",
        title="Bulyan",
        criterion="distance to the aggregate",
        paper="1802.07927",
        parameters=("num_of_malicious_clients",),
        bound=BULYAN_BOUND,
    ),
    "arkrum": StrategySpec(
        path="simulations.fl.strategies.arkrum:aggregate",
        title="ArKrum",
        criterion="Krum score with the estimated f",
        paper="2505.17226",
        removes=False,
    ),
}
