"""Datasets: the catalogue with what is on disk, filtered and ordered like recorded rows."""

from __future__ import annotations

from typing import Any

import pytest

from datasets_app import selectors
from datasets_app.catalog import CATALOG
from datasets_app.models import Dataset, State
from tests.simulations.query.asking import Ask


def keywords(ask: Ask, **query: Any) -> list[str]:
    return [row["keyword"] for row in ask("datasets/", **query).json()["results"]]


def test_they_are_the_catalogue_in_its_order(ask: Ask) -> None:
    page = ask("datasets/").json()
    assert (page["next"], page["previous"]) == (None, None)
    assert [row["keyword"] for row in page["results"]] == list(CATALOG)
    for row, listed in zip(page["results"], selectors.listing(), strict=True):
        assert row["title"] == listed.spec.title
        assert (row["state"], row["place"]) == (listed.state, listed.place)
        assert (row["num_train"], row["download_bytes"]) == (
            listed.num_train,
            listed.download_bytes,
        )


def test_they_are_filtered(ask: Ask) -> None:
    texts = [keyword for keyword, spec in CATALOG.items() if spec.modality == "text"]
    assert keywords(ask, modality="text") == texts != []
    assert keywords(ask, dataset="mnist5k,digits") == [
        keyword for keyword in CATALOG if keyword in ("mnist5k", "digits")
    ]
    Dataset.objects.update_or_create(
        keyword="cifar10", defaults={"state": State.FAILED, "error": "no network"}
    )
    [failed] = ask("datasets/", state="failed").json()["results"]
    assert (failed["keyword"], failed["error"]) == ("cifar10", "no network")
    assert keywords(ask, state="failed", modality="text") == []


@pytest.mark.parametrize("sign", ["", "-"])
def test_they_are_ordered_and_what_has_no_value_comes_last(ask: Ask, sign: str) -> None:
    rows = ask("datasets/", ordering=f"{sign}download_bytes,keyword").json()["results"]
    sizes = [row["download_bytes"] for row in rows if row["download_bytes"] is not None]
    assert sizes == sorted(sizes, reverse=sign == "-")
    unknown = [row["keyword"] for row in rows if row["download_bytes"] is None]
    assert unknown == sorted(unknown) == [row["keyword"] for row in rows[len(sizes) :]]


def test_one_has_a_page_of_its_own(ask: Ask) -> None:
    [row] = ask("datasets/", dataset="digits").json()["results"]
    assert ask("datasets/digits/").json() == row
    assert ask("datasets/nothing/").status == 404


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"dataset": "mnist5"}, "dataset: unknown dataset 'mnist5'; did you mean 'mnist5k'?"),
        ({"modality": "sound"}, "modality: unknown modality 'sound'; allowed are image, text"),
        ({"state": "hree"}, "did you mean 'here'?"),
        ({"cursor": "x"}, "unknown parameter 'cursor'"),
        ({"ordering": "spec"}, "ordering: unknown field 'spec'"),
    ],
)
def test_what_makes_no_sense_is_refused(ask: Ask, query: Any, told: str) -> None:
    answer = ask("datasets/", **query)
    assert answer.status == 400
    assert told in answer.json()["errors"][0]
