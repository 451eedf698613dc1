from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from PIL import Image

from intellifl.environment import ROOT
from simulations.artifacts import style
from simulations.artifacts.figure_files import write_all
from simulations.artifacts.figures import clients, comparison, rounds
from simulations.artifacts.figures.table import COMPARISON_FIGURES, STRATEGY_FIGURES
from simulations.fl.errors import StorageError

Make = Callable[..., Any]
OVER_ROUNDS = [entry for entry in STRATEGY_FIGURES if entry.name != "label_distribution"]
REMOVING = {"remove_clients": True, "begin_removing_from_round": 3, "attack_schedule": []}


def legend(figure: Figure | None) -> list[str]:
    assert figure is not None
    return [text.get_text() for found in figure.legends for text in found.get_texts()]


def drawn(figure: Figure | None) -> Figure:
    """Draw without a file, so that what matplotlib warns of fails the test."""
    assert figure is not None
    with rc_context(style.RC):
        FigureCanvasAgg(figure).draw()
    return figure


@pytest.mark.parametrize("entry", OVER_ROUNDS, ids=lambda entry: entry.name)
@pytest.mark.parametrize(("num_rounds", "num_clients"), [(1, 1), (4, 5), (60, 70)])
def test_every_figure_can_be_drawn_and_its_axes_are_labelled(
    measurements: Make, entry: Any, num_rounds: int, num_clients: int
) -> None:
    figure = drawn(
        entry.draw(measurements(num_rounds, num_clients, malicious=(0,), config=REMOVING))
    )
    for axes in figure.axes:
        assert axes.get_xlabel() == "Round"
        assert axes.get_ylabel()
        ticks = [tick for tick in axes.get_xticks() if 1 <= tick <= num_rounds]
        assert ticks
        assert all(tick == int(tick) for tick in ticks)


@pytest.mark.parametrize("entry", STRATEGY_FIGURES, ids=lambda entry: entry.name)
def test_what_was_not_measured_is_not_drawn(measurements: Make, entry: Any) -> None:
    full = measurements(config=REMOVING)
    nothing = measurements(
        config=REMOVING,
        of_rounds={name: np.full_like(values, np.nan) for name, values in full.of_rounds.items()},
        of_clients={name: np.full_like(values, np.nan) for name, values in full.of_clients.items()},
    )
    assert entry.draw(nothing) is None


def test_a_thousand_clients_have_one_legend_entry_a_group(measurements: Make) -> None:
    figure = clients.loss(measurements(20, 1000, malicious=tuple(range(100))))
    assert legend(figure) == [
        "benign (900 clients)",
        "malicious (100 clients)",
        "90 % and all of them",
    ]


def test_the_band_of_many_clients_is_their_median_and_quantiles(measurements: Make) -> None:
    figure = clients.absolute_distance(measurements(3, 101, malicious=()))
    assert figure is not None
    median = figure.axes[0].lines[0].get_ydata()
    assert np.asarray(median).tolist() == [50.0, 50.0, 50.0]
    middle = np.asarray(figure.axes[0].collections[1].get_paths()[0].vertices)[:, 1]
    assert (middle.min(), middle.max()) == (5.0, 95.0)


def test_a_few_clients_have_a_line_each(measurements: Make) -> None:
    figure = clients.loss(measurements(5, 3, malicious=(1,)))
    assert legend(figure) == ["client 0", "client 1 (malicious)", "client 2"]
    styles = {
        (line.get_color(), str(line.get_linestyle()), line.get_marker())
        for line in drawn(figure).axes[0].lines
    }
    assert len(styles) == 3


def test_gaps_stay_gaps_and_a_lone_value_is_marked(measurements: Make) -> None:
    measured = measurements(40)
    values = measured.of_rounds["global_accuracy"]
    values[[5, 7]] = np.nan
    figure = rounds.global_model(measured)
    assert figure is not None
    line = figure.axes[0].lines[0]
    assert np.argwhere(np.isnan(np.asarray(line.get_ydata()))).ravel().tolist() == [5, 7]
    marked = line.get_markevery()
    assert isinstance(marked, list) and 6 in marked


def span(patch: Patch) -> tuple[float, float]:
    assert isinstance(patch, Rectangle)
    return patch.get_x(), patch.get_width()


def test_attacks_are_shaded_up_to_the_last_round_and_named_once(measurements: Make) -> None:
    schedule = [
        {"attack_type": "label_flipping", "start_round": 2, "end_round": 3},
        {"attack_type": "label_flipping", "start_round": 6, "end_round": 12},
        {"attack_type": "gaussian_noise", "start_round": 50, "end_round": 60},
    ]
    figure = rounds.average_accuracy(measurements(8, config={"attack_schedule": schedule}))
    assert legend(figure) == ["mean", "± 1 std", "attack: label flipping"]
    spans = [span(patch) for patch in drawn(figure).axes[0].patches]
    assert spans == [(1.5, 2.0), (5.5, 7.0)]


def removing(measurements: Make, number: int, name: str) -> Any:
    measured = measurements(6, 4, malicious=(1,), number=number, name=name, config=REMOVING)
    measured.of_clients["is_removed"][2:, 1] = 1
    measured.of_clients["is_removed"][4:, 3] = 1
    return measured


def test_removed_clients_are_marked_in_the_round_of_their_removal(measurements: Make) -> None:
    strategies = [removing(measurements, 0, "krum"), removing(measurements, 1, "pid")]
    figure = comparison.accuracy(strategies)
    assert legend(figure) == ["krum", "pid", "benign client removed", "malicious client removed"]
    marks = {
        line.get_marker(): np.asarray(line.get_xdata()).tolist()
        for line in drawn(figure).axes[0].lines
        if line.get_linestyle() == "None"
    }
    assert marks == {"x": [3], "o": [5]}


@pytest.mark.parametrize("entry", COMPARISON_FIGURES, ids=lambda entry: entry.name)
def test_many_strategies_have_their_legend_beside_the_axes(measurements: Make, entry: Any) -> None:
    strategies = [
        measurements(4, 3, (1,), number=number, name=f"rule {number}", config=REMOVING)
        for number in range(12)
    ]
    figure = drawn(entry.draw(strategies))
    assert legend(figure) == [f"rule {number}" for number in range(12)]
    box = figure.legends[0].get_window_extent()
    assert box.x0 >= figure.axes[0].get_window_extent().x1
    assert box.x1 <= figure.bbox.x1
    assert box.y0 >= 0


@pytest.mark.parametrize("name", ["_hidden", "$x_1^2$", "$", "a\nb", "100 % & {#} ~ \\alpha"])
def test_names_are_shown_as_they_are(measurements: Make, name: str) -> None:
    figure = drawn(comparison.loss([measurements(name=name), measurements(number=1, name="other")]))
    shown = legend(figure)[0].replace("\N{ZERO WIDTH SPACE}", "").replace("\\$", "$")
    assert shown == " ".join(name.split())


def test_styles_of_lines_differ_in_colour_and_in_grey() -> None:
    looks = [style.line_style(place) for place in range(100)]
    assert len(set(looks)) == 100
    assert len({(str(look.linestyle), look.marker) for look in looks[:7]}) == 7


def test_a_loss_that_explodes_gets_a_logarithmic_axis(measurements: Make) -> None:
    calm, wild = measurements(), measurements(number=1)
    assert drawn(comparison.loss([calm, wild])).axes[0].get_yscale() == "linear"
    wild.of_rounds["global_loss"][-1] = 1e4
    assert drawn(comparison.loss([calm, wild])).axes[0].get_yscale() == "log"


@pytest.mark.slow
def test_files_are_valid_and_do_not_depend_on_the_process(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; import django; django.setup(); "
        "sys.path.insert(0, 'tests/simulations/artifacts'); import conftest; "
        "from simulations.artifacts import figure_files; "
        "kinds = ('global_model', 'client_loss', 'participation'); "
        "figure_files.STRATEGY_FIGURES = tuple("
        "one for one in figure_files.STRATEGY_FIGURES if one.name in kinds); "
        "figure_files.write_all(Path(sys.argv[1]), [conftest.measurements()])"
    )
    for seed in ("1", "2"):
        subprocess.run(
            [sys.executable, "-W", "error", "-c", code, str(tmp_path / seed)],
            cwd=ROOT,
            env={
                **os.environ,
                "PYTHONHASHSEED": seed,
                "DJANGO_SETTINGS_MODULE": "intellifl.settings",
            },
            check=True,
        )
    plots = sorted((tmp_path / "1" / "plots").iterdir())
    assert len(plots) == 6
    for path in plots:
        content = path.read_bytes()
        assert content == (tmp_path / "2" / "plots" / path.name).read_bytes()
        assert b"CreationDate" not in content
        if path.suffix == ".pdf":
            assert content.startswith(b"%PDF-")
            assert content.rstrip().endswith(b"%%EOF")
            assert b"/Type3" not in content
        else:
            with Image.open(path) as image:
                image.verify()


@pytest.mark.slow
def test_an_error_while_writing_leaves_no_half_figure(measurements: Make, tmp_path: Path) -> None:
    (tmp_path / "plots").write_text("in the way")
    with pytest.raises(StorageError, match=r"cannot write global_model_0.png"):
        write_all(tmp_path, [measurements()])
    assert [path.name for path in tmp_path.iterdir()] == ["plots"]
