"""Each formula against numpy in float64, written down again from the specification."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from simulations.fl.attacks.base import Layout

SIZES = (3000, 1500, 7)
LAYOUT = Layout((("conv", 0, 3000), ("fc", 3000, 1500), ("bias", 4500, 7)))
DRAW = np.random.default_rng(11)
START = DRAW.standard_normal(4507).astype(np.float32)
TRAINED = (START + 0.1 * DRAW.standard_normal(4507)).astype(np.float32)
W, X = START.astype(np.float64), TRAINED.astype(np.float64)
U = X - W


def forge(attack: Any, seed: int = 0, trained: np.ndarray = TRAINED) -> np.ndarray:
    sent = attack.forge(
        torch.from_numpy(trained.copy()),
        torch.from_numpy(START.copy()),
        LAYOUT,
        np.random.default_rng(seed),
    )
    return np.asarray(sent.numpy(), dtype=np.float64)


def close(one: np.ndarray, other: np.ndarray) -> bool:
    return np.allclose(one, other, rtol=1e-5, atol=1e-5)


def tensors() -> list[slice]:
    return [slice(offset, offset + numel) for _, offset, numel in LAYOUT.tensors]


@pytest.mark.parametrize("factor", [2.0, -1.0, 0.5])
def test_gradient_scaling_scales_the_update(factor: float, build: Any) -> None:
    assert close(forge(build("gradient_scaling", scale_factor=factor)), W + factor * U)


def test_boosted_scaling_outweighs_the_average(build: Any) -> None:
    attack = build("boosted_scaling", n_total=12, n_malicious=3, boost_factor=1.5)
    assert close(forge(attack), W + 12 / 3 * 1.5 * U)


def test_model_replacement_survives_averaging(build: Any) -> None:
    sent = forge(build("boosted_scaling", n_total=10))
    assert np.allclose((sent + 9 * W) / 10, X, atol=1e-5)


@pytest.mark.parametrize(
    ("ratio", "counts"), [(0.1, (300, 150, 1)), (0.5, (1500, 750, 4)), (1.0, SIZES)]
)
def test_model_poisoning_blows_up_the_share_of_each_tensor(
    ratio: float, counts: tuple[int, ...], build: Any
) -> None:
    sent = forge(build("model_poisoning", poison_ratio=ratio, magnitude=4.0))
    for tensor, count in zip(tensors(), counts, strict=True):
        changed = sent[tensor] != X[tensor]
        expected = np.sign(X[tensor]) * 4.0 * np.std(X[tensor])
        assert changed.sum() == count
        assert close(sent[tensor][changed], expected[changed])


def test_model_poisoning_draws_its_coordinates_evenly(build: Any) -> None:
    attack = build("model_poisoning")
    hits = sum((forge(attack, seed) != X)[:3000].astype(int) for seed in range(60))
    assert hits[:1500].sum() == pytest.approx(9000, rel=0.05)


def test_byzantine_perturbation_follows_the_spread_of_each_tensor(build: Any) -> None:
    attack = build("byzantine_perturbation", noise_scale=2.0)
    noise = np.stack([forge(attack, seed) - X for seed in range(20)])
    for tensor in tensors():
        wanted = 2.0 * np.std(X[tensor])
        assert np.std(noise[:, tensor]) == pytest.approx(wanted, rel=0.2)
        assert abs(np.mean(noise[:, tensor])) < 0.25 * wanted
    assert np.std(noise[:, :3000]) == pytest.approx(2.0 * np.std(X[:3000]), rel=0.02)


def test_byzantine_perturbation_is_clipped_as_a_whole(build: Any) -> None:
    free = forge(build("byzantine_perturbation")) - X
    clipped = forge(build("byzantine_perturbation", clip_norm=5.0)) - X
    assert np.linalg.norm(clipped) == pytest.approx(5.0, rel=1e-4)
    assert np.allclose(clipped, free * 5.0 / np.linalg.norm(free), atol=1e-6)
    loose = forge(build("byzantine_perturbation", clip_norm=1e6)) - X
    assert np.array_equal(loose, free)


@pytest.mark.parametrize("s", [0.3, 0.5, 1.0, 2.0])
def test_inner_product_manipulation_turns_or_shrinks_the_update(s: float, build: Any) -> None:
    keyword = "inner_product_manipulation"
    negative = build(keyword, perturbation_strength=s, target_direction="negative")
    zero = build(keyword, perturbation_strength=s, target_direction="zero")
    assert close(forge(negative), W + (1 - 2 * s) * U)
    assert close(forge(zero), W + (1 - s) * U)


def test_inner_product_manipulation_adds_a_random_vector_of_the_right_length(build: Any) -> None:
    attack = build(
        "inner_product_manipulation", perturbation_strength=2.0, target_direction="random"
    )
    added = [forge(attack, seed) - X for seed in range(2)]
    for vector in added:
        assert np.linalg.norm(vector) == pytest.approx(2 * np.linalg.norm(U), rel=1e-4)
    cosine = added[0] @ added[1] / np.prod([np.linalg.norm(vector) for vector in added])
    assert abs(cosine) < 0.1


def projected_ascent(tau: float, steps: int, step_size: float) -> np.ndarray:
    """Ascend -<v, u> / |u| from u in all coordinates, projecting onto the ball after each step."""
    norm = float(np.linalg.norm(U))
    v: np.ndarray = U * min(1.0, tau / norm)
    for _ in range(steps):
        v = v - step_size * tau * U / norm
        v = v * min(1.0, tau / float(np.linalg.norm(v)))
    return v


@pytest.mark.parametrize(
    ("total", "malicious", "factor", "steps", "size"),
    [(10, 1, 1.0, 20, 0.1), (10, 2, 1.0, 5, 0.1), (4, 4, 0.5, 3, 0.2), (3, 1, 2.0, 1, 0.03)],
)
def test_alternating_min_poisoning_ascends_within_the_ball(
    total: int, malicious: int, factor: float, steps: int, size: float, build: Any
) -> None:
    attack = build(
        "alternating_min_poisoning",
        n_total=total,
        n_malicious=malicious,
        tau_factor=factor,
        pgd_steps=steps,
        pgd_step_size=size,
    )
    tau = factor * total / malicious * float(np.linalg.norm(U))
    sent = forge(attack)
    assert close(sent, W + projected_ascent(tau, steps, size))
    assert np.linalg.norm(sent - W) <= tau * (1 + 1e-5)


def test_alternating_min_poisoning_ends_against_the_honest_direction(build: Any) -> None:
    sent = forge(build("alternating_min_poisoning", n_total=10)) - W
    assert close(sent, -10 * U)


def test_alternating_min_poisoning_without_an_update_sends_the_same(build: Any) -> None:
    sent = forge(build("alternating_min_poisoning"), trained=START)
    assert np.array_equal(sent, W)


@pytest.mark.parametrize("keyword", ["boosted_scaling", "alternating_min_poisoning"])
def test_more_attackers_than_clients_are_refused(keyword: str, build: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        build(keyword, n_total=3, n_malicious=4)
    (problem,) = caught.value.errors()
    assert problem["loc"] == ("n_malicious",)
    assert problem["msg"] == "must be at most n_total (3), not 4"
    build(keyword, n_total=3, n_malicious=3)


@pytest.mark.parametrize(
    ("keyword", "wrong"),
    [
        ("model_poisoning", {"poison_ratio": 0.0}),
        ("model_poisoning", {"magnitude": -1.0}),
        ("boosted_scaling", {"n_total": 0}),
        ("boosted_scaling", {"n_total": 2.5}),
        ("byzantine_perturbation", {"clip_norm": 0.0}),
        ("byzantine_perturbation", {"noise_scale": float("nan")}),
        ("inner_product_manipulation", {"target_direction": "up"}),
        ("inner_product_manipulation", {"perturbation_strength": 0.0}),
        ("alternating_min_poisoning", {"pgd_steps": 0}),
        ("alternating_min_poisoning", {"pgd_step_size": 0.0}),
        ("alternating_min_poisoning", {"n_malicious": 0}),
        ("gradient_scaling", {"scale_factor": float("inf")}),
    ],
)
def test_wrong_parameters_are_refused(keyword: str, wrong: dict[str, Any], build: Any) -> None:
    with pytest.raises(ValidationError):
        build(keyword, **wrong)
