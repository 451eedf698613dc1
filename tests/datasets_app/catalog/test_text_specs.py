from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from datasets import Dataset

from datasets_app.catalog import CATALOG
from datasets_app.catalog.loading import TextData, load

CLASSES = {
    "reuters_r8": 8,
    "newsgroups": 20,
    "financial_phrasebank": 3,
    "lexglue": 100,
    "pubmed_classification_20k": 5,
    "medal": 0,
    "medquad": 0,
}
DOMAINS = {
    "reuters_r8": "financial",
    "newsgroups": None,
    "financial_phrasebank": "financial",
    "lexglue": "legal",
    "pubmed_classification_20k": "medical",
    "medal": "medical",
    "medquad": "medical",
}


def stored(folder: Path, keyword: str, **splits: dict[str, list[Any]]) -> TextData:
    """Put a copy of a hub dataset, as its columns, into the data folder and load it."""
    place = folder / keyword
    place.mkdir()
    for name, columns in splits.items():
        Dataset.from_dict(columns).to_parquet(place / f"{name}-00000-of-00001.parquet")
    data = load(CATALOG[keyword], folder)
    assert isinstance(data, TextData)
    return data


def test_the_specified_texts_are_there_with_their_classes_and_words() -> None:
    texts = {spec.keyword: spec for spec in CATALOG.values() if spec.modality == "text"}
    assert {keyword: spec.num_classes for keyword, spec in texts.items()} == CLASSES
    assert {keyword: spec.domain for keyword, spec in texts.items()} == DOMAINS
    assert {spec.network for spec in texts.values()} == {"transformer"}


@pytest.mark.parametrize(
    ("keyword", "columns", "labels", "names"),
    [
        (
            "financial_phrasebank",
            {"sentence": ["Profit rose .", "Sales fell ."], "label": [2, 0]},
            [2, 0],
            ("negative", "neutral", "positive"),
        ),
        (
            "lexglue",
            {"text": ["This Agreement ...", "The Lender ..."], "label": [99, 0]},
            [99, 0],
            tuple(str(number) for number in range(100)),
        ),
        (
            "pubmed_classification_20k",
            {
                "text": ["We aimed .", "###24491034", "It works ."],
                "label": ["OBJECTIVE", "###24491034", "CONCLUSIONS"],
            },
            [3, 1],
            ("BACKGROUND", "CONCLUSIONS", "METHODS", "OBJECTIVE", "RESULTS"),
        ),
    ],
)
def test_labelled_texts_are_read_with_the_columns_of_the_hub(
    tmp_path: Path, keyword: str, columns: Any, labels: list[int], names: tuple[str, ...]
) -> None:
    data = stored(tmp_path, keyword, train=columns, test=columns)
    assert data.train_labels.tolist() == data.test_labels.tolist() == labels
    assert data.class_names == names
    first = columns["sentence" if keyword == "financial_phrasebank" else "text"][0]
    assert data.train_texts.to_pylist()[0] == first


@pytest.mark.parametrize(
    ("keyword", "columns", "expected"),
    [
        (
            "medal",
            {"title": ["Aspirin", "A heart"], "content": ["It works.", None]},
            ["Aspirin It works.", "A heart"],
        ),
        (
            "medquad",
            {"question": ["What is gout?", "Why?"], "answer": ["A disease.", None]},
            ["What is gout? A disease.", "Why?"],
        ),
    ],
)
def test_columns_without_labels_are_joined_and_every_fifth_text_is_for_testing(
    tmp_path: Path, keyword: str, columns: dict[str, list[Any]], expected: list[str]
) -> None:
    repeated = {name: values * 5 for name, values in columns.items()}
    data = stored(tmp_path, keyword, train=repeated)
    every = expected * 5
    assert data.test_texts.to_pylist() == every[4::5]
    assert data.train_texts.to_pylist() == [t for i, t in enumerate(every) if i % 5 != 4]
    assert not np.any(data.train_labels) and data.class_names == ()
