from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from simulations.artifacts import figure_files
from simulations.artifacts.build import build
from simulations.artifacts.figures.table import STRATEGY_FIGURES

VOID = {"meta", "img", "br"}
NASTY = "<script>alert('x')</script> & \"quotes\""


class Page(HTMLParser):
    """Collects tags, attributes and text; knows whether every tag is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.texts).split())


def page_of(run_dir: Path) -> Page:
    page = Page((run_dir / "report.html").read_text(encoding="utf-8"))
    assert page.open == []
    return page


def test_names_are_text_whatever_they_contain(
    simulate: Callable[..., Any], fill: Callable[..., Any]
) -> None:
    simulation = simulate(display_name=NASTY, strategy_name=NASTY, notes=f"{NASTY}\nsecond")
    fill(simulation)
    page = page_of(build(simulation))
    assert "script" not in page.tags
    assert page.text.count(NASTY) >= 4


def test_it_shows_results_settings_references_and_how_to_reproduce(
    simulate: Callable[..., Any], fill: Callable[..., Any]
) -> None:
    simulation = simulate()
    fill(simulation)
    text = page_of(build(simulation)).text
    for part in (
        "Test accuracy (%)",
        "40.00",
        "93.3 ± 9.4",
        "gradient_scaling (scale_factor=-5.0), rounds 2–4, client 1",
        "Machine Learning with Adversaries: Byzantine Tolerant Gradient Descent",
        "python -m simulations.fl run resolved_config.json",
        "torch",
        "seed 7",
    ):
        assert part in text


@pytest.mark.slow
def test_figures_are_inside_the_page_and_nothing_is_loaded_from_elsewhere(
    compare: Callable[..., Any], fill: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figure_files, "STRATEGY_FIGURES", STRATEGY_FIGURES[1:3])
    strategies = ({"aggregation_strategy_keyword": "krum"}, {"aggregation_strategy_keyword": "pid"})
    simulation = compare(*strategies, save_plots=True)
    fill(simulation, number=0)
    fill(simulation, number=1)
    run_dir = build(simulation)
    page = page_of(run_dir)
    drawn = list((run_dir / "plots").glob("*.png"))
    assert len(page.links) == len(drawn) == 4 + 5
    assert (run_dir / "plots" / "comparison_accuracy.pdf").is_file()
    assert all(link.startswith("data:image/png;base64,") for link in page.links)
    assert "@import" not in page.text
    assert "url(" not in page.text


def test_a_failed_run_without_rounds_has_a_report_that_says_why(
    simulate: Callable[..., Any],
) -> None:
    simulation = simulate()
    simulation.error = "client 3 <failed>"
    text = page_of(build(simulation)).text
    assert "No round was finished." in text
    assert "client 3 <failed>" in text
