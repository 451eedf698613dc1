from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from simulations import result_files
from simulations.artifacts import style
from simulations.artifacts.build import build
from simulations.artifacts.figures.partition import label_distribution, summary
from simulations.fl.label_distribution import LabelDistribution, write

Make = Callable[..., Any]


def spread(
    clients: int, classes: int = 10, attackers: tuple[int, ...] = (), **more: Any
) -> LabelDistribution:
    """Client c has c + 1 samples of class c, in a ring, and one of each other class."""
    counts = np.ones((clients, classes), dtype=np.int64)
    counts[np.arange(clients), np.arange(clients) % classes] += np.arange(clients)
    names = tuple(f"kind {label}" for label in range(classes))
    return LabelDistribution(counts.sum(axis=1), counts, names, attackers=attackers, **more)


def drawn(measured: Any) -> Figure:
    figure = label_distribution(measured)
    assert figure is not None
    with rc_context(style.RC):
        FigureCanvasAgg(figure).draw()
    return figure


def legend(figure: Figure) -> list[str]:
    return [text.get_text() for found in figure.legends for text in found.get_texts()]


def test_a_few_clients_are_bars_as_high_as_their_samples(measurements: Make) -> None:
    found = spread(10, attackers=(2, 7), target_classes=(3,))
    figure = drawn(measurements(spread=found))
    axes = figure.axes[0]
    heights = np.zeros(10)
    for container in axes.containers:
        heights += [bar.get_height() for bar in container]
    assert heights.tolist() == found.sizes.tolist()
    assert legend(figure) == [
        *(f"kind {label}" for label in range(3)),
        "kind 3 (target)",
        *(f"kind {label}" for label in range(4, 10)),
        "attacker",
    ]
    (marks,) = axes.lines
    assert np.asarray(marks.get_xdata()).tolist() == [2, 7]
    looks = {(str(bars[0].get_facecolor()), bars[0].get_hatch()) for bars in axes.containers}
    assert len(looks) == 10


@pytest.mark.parametrize(("clients", "classes"), [(1000, 10), (41, 3), (6, 100), (1, 62)])
def test_many_clients_or_classes_are_a_map(measurements: Make, clients: int, classes: int) -> None:
    found = spread(clients, classes, attackers=(0,))
    figure = drawn(measurements(spread=found))
    sizes, shares = figure.axes[:2]
    (mesh,) = shares.collections
    cells = np.asarray(mesh.get_array())
    assert cells.shape == (classes, clients)
    assert cells.sum(axis=0) == pytest.approx(np.full(clients, 100.0))
    assert mesh.get_rasterized()
    assert legend(figure) == ["attacker"]
    assert sizes.get_ylabel() == "Samples" and shares.get_ylabel() == "Class"
    top, bottom = sizes.get_position(), shares.get_position()
    assert (top.x0, top.x1) == pytest.approx((bottom.x0, bottom.x1))


def test_alike_clients_stand_together_and_attackers_where_they_are_drawn(
    measurements: Make,
) -> None:
    found = spread(100, attackers=(13, 70))
    figure = drawn(measurements(spread=found))
    sizes, shares = figure.axes[:2]
    cells = np.asarray(shares.collections[0].get_array())
    most = cells.argmax(axis=0)
    assert most.tolist() == sorted(most.tolist())
    heights = np.asarray(sizes.patches[0].get_data().values)  # type: ignore[attr-defined]
    assert sorted(heights.tolist()) == sorted(found.sizes.tolist())
    places = np.asarray(sizes.lines[0].get_xdata())
    assert [heights[place] for place in places] == [found.sizes[13], found.sizes[70]]
    assert [most[place] for place in places] == [3, 0]


def test_samples_without_labels_show_their_sizes(measurements: Make) -> None:
    found = LabelDistribution(np.array([4, 9, 2]), None, attackers=(1,))
    figure = drawn(measurements(spread=found))
    assert np.asarray(figure.axes[0].patches[0].get_data().values).tolist() == [4, 9, 2]  # type: ignore[attr-defined]
    assert legend(figure) == ["attacker"]


def test_the_numbers_stand_above_and_do_not_leave_the_figure(measurements: Make) -> None:
    counts = np.array([[90_000, 0], [0, 10_000]])
    found = LabelDistribution(counts.sum(axis=1), counts, ("a", "b"), unused=12_345)
    assert summary(found) == (
        "mean total variation 0.50, 12,345 samples unused\n"
        "10,000 to 90,000 samples a client, median 50,000"
    )
    for one in (found, spread(1000)):
        figure = drawn(measurements(spread=one))
        title = figure.axes[0].get_title(loc="left")
        assert title == summary(one)
        text = figure.axes[0]._left_title  # type: ignore[attr-defined]
        assert text.get_window_extent().x1 <= figure.bbox.x1


def test_without_the_engine_s_file_there_is_no_figure(measurements: Make) -> None:
    assert label_distribution(measurements()) is None


@pytest.mark.slow
def test_the_figure_is_among_the_files_of_the_run(
    simulate: Callable[..., Any], fill: Callable[..., Any], run_dir: Callable[..., Path]
) -> None:
    simulation = simulate(save_plots=True)
    fill(simulation)
    folder = run_dir(simulation)
    write(folder, 0, spread(5, attackers=(1,)))
    build(simulation)
    names = result_files.listed(folder)
    assert {
        "partition_0.json",
        "plots/label_distribution_0.png",
        "plots/label_distribution_0.pdf",
    } <= set(names)
    told = json.loads((folder / "partition_0.json").read_text())
    assert told["heterogeneity"]["size_min"] == 10
    assert "Samples of each client by class" in (folder / "report.html").read_text()
