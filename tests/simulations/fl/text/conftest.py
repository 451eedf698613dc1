from __future__ import annotations

from pathlib import Path

import pytest

from datasets_app.catalog.text_data import TextData
from simulations.fl.text.corpus import Corpus, corpus
from tests import tiny_encoder


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoder.write_encoder(tmp_path_factory.mktemp("encoder") / "tiny")


@pytest.fixture(scope="session")
def news() -> TextData:
    return tiny_encoder.text_data()


@pytest.fixture(scope="session")
def tokenised(encoder: Path, news: TextData) -> Corpus:
    return corpus(news, encoder, most_tokens=None)
