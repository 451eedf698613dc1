from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.pages.charts import HEIGHT, WIDTH, Series, line_chart


def places(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"([\d.e-]+),([\d.e-]+)", path)]


def test_values_lie_where_the_ticks_say() -> None:
    chart = line_chart("Accuracy", [Series("a", [1, 2, 3, 4, 5], [0.1, 0.3, 0.5, 0.7, 0.9])])
    assert chart is not None
    ticks = {float(tick.text): tick.place for tick in chart.y_ticks}
    assert list(ticks) == pytest.approx([0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
    drawn = places(chart.lines[0].path)
    for (_, y), value in zip(drawn, [0.1, 0.3, 0.5, 0.7, 0.9], strict=True):
        share = (y - ticks[0.0]) / (ticks[1.0] - ticks[0.0])
        assert share == pytest.approx(value, abs=0.01)
    rounds = {int(tick.text): tick.place for tick in chart.x_ticks}
    assert [rounds[n] for n in (1, 3, 5)] == pytest.approx([drawn[0][0], drawn[2][0], drawn[4][0]])


@given(
    st.lists(
        st.one_of(st.none(), st.floats(-1e12, 1e12), st.just(math.nan), st.just(math.inf)),
        min_size=1,
        max_size=30,
    )
)
def test_everything_that_was_measured_is_drawn_inside(values: list[float | None]) -> None:
    chart = line_chart("x", [Series("a", range(1, len(values) + 1), values)])
    finite = [value for value in values if value is not None and math.isfinite(value)]
    if not finite:
        assert chart is None
        return
    assert chart is not None
    drawn = places(chart.lines[0].path)
    assert len(drawn) == len(finite)
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in drawn)
    assert 1 <= len(chart.y_ticks) <= 12 and len({tick.text for tick in chart.y_ticks}) > 0


def test_a_single_round_has_a_point_and_whole_round_numbers() -> None:
    chart = line_chart("x", [Series("a", [1], [0.5])])
    assert chart is not None and all(re.fullmatch(r"\d+", t.text) for t in chart.x_ticks)
    assert chart.lines[0].end == places(chart.lines[0].path)[-1] or chart.lines[0].end


def test_attacks_are_shaded_over_their_rounds() -> None:
    series = [Series("a", [1, 2, 3, 4], [1.0, 2.0, 3.0, 4.0])]
    chart = line_chart("x", series, [("noise", 2, 3)])
    assert chart is not None
    xs = [x for x, _ in places(chart.lines[0].path)]
    [band] = chart.bands
    assert xs[0] < band.left < xs[1] and xs[2] < band.left + band.width < xs[3]
